# O7.py - one, two and four spoolers on one queue
#
# SPDX-License-Identifier: BSD-2-Clause
import sys
import time

from fault.full import figures

given = figures.options("O7", rows=1000000)
out = figures.Figures()
for processes in (1, 2, 4):
    with figures.start(given, f"spooler.processes={processes}",
                       "spooler.transfers_max=128") as r, r.db() as connection:
        rows = figures.Rows(connection, "email")
        r.stop("spooler")
        rows.ready(r.tenant_id, given.rows)
        began = time.time()
        r.start("spooler")
        r.wait_until_done(given.rows // 100 + 60)
        took = time.time() - began
        shares = [s["n"] for s in rows.run(
            "SELECT count(*) AS n FROM attempt GROUP BY spooler")]
        twice = rows.run("SELECT count(*) AS n FROM attempt WHERE n > 1")[0]["n"]
        mails, _ = r.sink.counts()
    out.info(f"{processes} spoolers, deliveries a second", round(given.rows / took))
    out.at_most(f"{processes} spoolers, claimed twice", twice, 0)
    out.at_most(f"{processes} spoolers, mails lost", given.rows - mails, 0)
    fair = given.rows / processes
    out.at_least(f"{processes} spoolers, least share", min(shares) / fair, 0.8)
    out.at_most(f"{processes} spoolers, largest share", max(shares) / fair, 1.2)
sys.exit(out.status())
