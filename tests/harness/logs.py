# logs.py - what the programs of a stack say, and what they should not say
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import re

PROGRAMS = ("api", "spooler")
QUIET = ("debug", "info")

# What a program says at its start on a PostgreSQL that is made fast for tests.
FAST = "PostgreSQL may lose what it has committed"


class Logs:
    """The log lines since the last call of mark()."""

    def __init__(self, directory):
        self.directory = directory
        self.allowed = []
        self.start = {}
        self.mark()

    def path(self, program):
        return self.directory / f"{program}.log"

    def mark(self):
        """Forgets what was said and allowed so far."""
        self.allowed = [re.compile(FAST)]
        for program in PROGRAMS:
            path = self.path(program)
            self.start[program] = path.stat().st_size if path.exists() else 0

    def allow(self, pattern):
        """Lines at warn or above that match are part of the test."""
        self.allowed.append(re.compile(pattern))

    def text(self, program):
        path = self.path(program)
        if not path.exists():
            return ""
        with open(path, "rb") as file:
            file.seek(self.start.get(program, 0))
            return file.read().decode("utf-8", "replace")

    def lines(self, program=None):
        """All whole lines as objects; one that is not JSON as {"raw": ...}."""
        found = []
        for name in [program] if program else PROGRAMS:
            for line in self.text(name).split("\n")[:-1]:
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = {"level": "raw", "raw": line}
                found.append({"file": name, **entry})
        return found

    def find(self, **fields):
        """The lines that carry all of the given fields."""
        return [line for line in self.lines()
                if all(line.get(k) == v for k, v in fields.items())]

    def unexpected(self):
        """Lines at warn or above, and whatever is no log line (a sanitizer's
        report, an assertion), unless they were allowed."""
        return [line for line in self.lines()
                if line.get("level") not in QUIET
                and not any(p.search(json.dumps(line, ensure_ascii=False))
                            for p in self.allowed)]
