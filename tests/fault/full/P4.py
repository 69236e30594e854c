# P4.py - a provider that is down
#
# SPDX-License-Identifier: BSD-2-Clause
from fault.full import figures, statement

statement.run("P4", figures.options("P4", rows=50000, outage=600))
