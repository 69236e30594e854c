# O6.py - what a claim costs among 10^4 to 10^7 ready rows
#
# SPDX-License-Identifier: BSD-2-Clause
import sys

from fault.full import figures
from harness.claims import ClaimCost

given = figures.options("O6", largest=10000000)
out = figures.Figures()
with figures.start(given) as r:
    r.stop("spooler")
    cost = ClaimCost(r)
    took, count = {}, 10000
    while count <= given.largest:
        took[count] = cost.measure(count)
        out.at_most(f"claim of 100 rows among {count}, ms at the median",
                    took[count], 10)
        count *= 10
out.at_most("the last against the first", list(took.values())[-1] / took[10000], 2)
sys.exit(out.status())
