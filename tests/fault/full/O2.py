# O2.py - a tenant with a backlog of millions beside a thousand that send now and then
#
# SPDX-License-Identifier: BSD-2-Clause
import sys

from fault.full import figures
from harness.rows import jain

given = figures.options(__doc__ or "O2", rows=10000000, valid=0, tenants=999,
                        rate=0, seconds=600)
rate = given.rate or given.tenants
valid = given.valid or min(given.rows, 6000 * given.seconds)
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
    figures.feed(rows, tenants, rate, 3)
    before = rows.run(done, tenant=r.tenant_id)[0]["n"]
    span = figures.feed(rows, tenants, rate, given.seconds)
    noisy = rows.run(done, tenant=r.tenant_id)[0]["n"] - before
    p95, found = figures.dwell_p95(rows, tenants, span)
    served = {t: 0 for t in tenants}
    for tenant, ms in found:
        served[tenant] += ms is not None
    r.stop("spooler")
out.info("rows of the backlog", given.rows)
out.info("notifications of the others a second", rate)
out.info("dwell p95 of the others alone, ms", round(alone))
out.at_most("dwell p95 of the others, ms", p95, 2000)
out.at_most("the same against alone", p95 / alone, 2)
out.at_least("Jain index over the others", jain(served.values()), 0.95)
out.info("deliveries of the backlog a second", round(noisy / given.seconds))
sys.exit(out.status())
