# O3.py - a destination that hangs
#
# SPDX-License-Identifier: BSD-2-Clause
from fault.full import figures, statement

statement.run("O3", figures.options("O3", deliveries=4000))
