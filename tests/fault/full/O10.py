# O10.py - a provider that fails half of everything
#
# SPDX-License-Identifier: BSD-2-Clause
from fault.full import figures, statement

statement.run("O10", figures.options("O10", seconds=300, rate=20))
