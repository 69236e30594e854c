# P3.py - a server that serves five connections
#
# SPDX-License-Identifier: BSD-2-Clause
from fault.full import figures, statement

statement.run("P3", figures.options("P3", recipients=2000))
