# O2.py - a tenant with a backlog of millions beside a thousand that send now and then
#
# SPDX-License-Identifier: BSD-2-Clause
import sys
import time

from fault.full import figures
from harness.rows import jain

WINDOW_S = 20
given = figures.options(__doc__ or "O2", rows=10000000, valid=0, tenants=999,
                        rate=0, seconds=600)
rate = given.rate or given.tenants
valid = given.valid or min(given.rows, 6000 * (given.seconds + 60))
out = figures.Figures()
with figures.start(given) as r, r.db() as connection:
    rows = figures.Rows(connection, "email")
    tenants = rows.tenants("small", given.tenants, r.tenant_id)
    figures.feed(rows, tenants, rate, 5)  # warm
    alone, _ = figures.dwell_p95(rows, tenants, figures.feed(
        rows, tenants, rate, min(given.seconds, 60)))
    done = "SELECT count(*) AS n FROM attempt WHERE tenant_id = %(tenant)s"

    r.stop("spooler")
    rows.ready(r.tenant_id, valid)
    rows.tail(r.tenant_id, given.rows - valid)
    rows.run("ANALYZE q_ready")
    r.start("spooler")
    time.sleep(5)
    before = rows.run(done, tenant=r.tenant_id)[0]["n"]
    time.sleep(20)
    capacity = (rows.run(done, tenant=r.tenant_id)[0]["n"] - before) / 20
    figures.feed(rows, tenants, rate, 3)
    before = rows.run(done, tenant=r.tenant_id)[0]["n"]
    span = figures.feed(rows, tenants, rate, given.seconds)
    noisy = rows.run(done, tenant=r.tenant_id)[0]["n"] - before
    p95, _ = figures.dwell_p95(rows, tenants, span)
    r.stop("spooler")

    # Others who all have more to do than they get: what each of them is given.
    equals = rows.tenants("equal", 20, r.tenant_id)
    each = 6000 * WINDOW_S // 4
    rows.run("DELETE FROM q_ready")
    for tenant in equals:
        rows.ready(tenant, each)
    rows.run("ANALYZE q_ready")
    r.start("spooler")
    time.sleep(WINDOW_S)
    shares = {t: 0 for t in equals} | {row["tenant_id"]: row["n"] for row in rows.run(
        "SELECT tenant_id, count(*) AS n FROM attempt WHERE tenant_id = "
        "ANY (%(tenants)s) GROUP BY tenant_id", tenants=equals)}
    r.stop("spooler")
out.info("rows of the backlog", given.rows)
out.info("notifications of the others a second", rate)
out.info("dwell p95 of the others alone, ms", round(alone))
out.at_most("dwell p95 of the others, ms", p95, 2000)
out.at_most("the same against alone", p95 / alone, 2)
out.at_most("the most that one of 20 with backlogs was served of its own",
            max(shares.values()) / each, 0.99)
out.at_least("Jain index over them", jain(shares.values()), 0.95)
out.info("deliveries of the backlog a second alone", round(capacity))
out.info("deliveries of the backlog a second", round(noisy / given.seconds))
out.at_least("its share of what the others left",
             noisy / given.seconds / max(1, capacity - rate), 0.8)
sys.exit(out.status())
