# C4.py - what a process remembers of credentials after a thousand sends
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The scene is that of tests/fault/test_memory.py, on a build as it is installed.
import contextlib
import sys

from fault.full import figures
from fault.test_memory import Planted, Scene, workers
from harness.stack import Stack


def main():
    given = figures.options("C4", sends=1000)
    stack, canaries, most = Stack(), Planted(), 0
    with contextlib.ExitStack() as outside:
        outside.callback(stack.remove)
        outside.callback(stack.down)
        stack.up()
        sent = Scene(stack, canaries, outside).send(given.sends // 5)
        for part, pid in workers(stack):
            found = canaries.remembered(pid)
            most = max(most, len(found))
            print(f"{part} {pid}: {found or 'nothing'}")
    print(f"sent: {sent} ({given.sends})")
    print(f"credentials that a process remembers with nothing in flight: {most} (0)")
    sys.exit(1 if most or sent < given.sends else 0)


if __name__ == "__main__":
    main()
