# measure.py - what processes use, and figures as people read them
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import statistics
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """The fields of /proc/PID/stat from the state on, or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(") ")[2].split()


def tree(*roots):
    """The processes and all that descend from them."""
    children = {}
    for entry in os.listdir("/proc"):
        fields = stat(entry) if entry.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(*roots):
    """User and system time of process trees, with that of children gone."""
    ticks = 0
    for pid in tree(*roots):
        fields = stat(pid)
        if fields:
            ticks += sum(int(f) for f in fields[11:15])
    return ticks / TICK


def memory_kb(*roots, field="Pss"):
    """The proportional set size of process trees."""
    total = 0
    for pid in tree(*roots):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        for line in text.split("\n"):
            if line.startswith(field + ":"):
                total += int(line.split()[1])
    return total


def median(values):
    return statistics.median(values)


def percentile(values, share):
    """The smallest value that at least this share of the values is not above."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def slope(points):
    """Least squares: y per x of a list of (x, y)."""
    return statistics.linear_regression(*zip(*points)).slope


def spread(values, form="{:.0f}"):
    """All the values, so that a reader sees how far they lie apart."""
    return " ".join(form.format(v) for v in values)


def verdict(name, value, goal, at_least=False, unit=""):
    """Prints a figure against its goal; true when that is reached."""
    good = value >= goal if at_least else value <= goal
    print(f"{name}: {value:.2f}{unit}, goal at {'least' if at_least else 'most'}"
          f" {goal:g}{unit}: {'reached' if good else 'MISSED'}", flush=True)
    return good
