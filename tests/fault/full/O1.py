# O1.py - a transaction is held open while notifications flow
#
# SPDX-License-Identifier: BSD-2-Clause
import sys
import time

import psycopg2

from fault.full import figures

given = figures.options("O1", minutes=15.0, rate=500, before=60)
out = figures.Figures()
with figures.start(given) as r, r.db() as connection:
    rows = figures.Rows(connection, "email")
    tenants = [r.tenant_id]
    figures.feed(rows, tenants, given.rate, 5)  # warm
    zero = figures.claim_times(r)
    before_dwell, _ = figures.dwell_p95(
        rows, tenants, figures.feed(rows, tenants, given.rate, given.before))
    one = figures.claim_times(r)

    holder = psycopg2.connect(
        host=r.env["PGHOST"], port=r.env["PGPORT"], dbname=r.env["PGDATABASE"],
        user="postgres", options="-c search_path=belfry", application_name="report")
    holder.set_session(isolation_level="REPEATABLE READ")
    holder.cursor().execute("SELECT count(*) FROM tenant")
    held = time.time()
    figures.feed(rows, tenants, given.rate, given.minutes * 60 - given.before)
    two = figures.claim_times(r)
    span = figures.feed(rows, tenants, given.rate, given.before)
    three = figures.claim_times(r)
    depth = r.count("q_ready")
    dwell, _ = figures.dwell_p95(rows, tenants, span)
    alarm = [line for line in r.logs.lines("spooler")
             if "somebody holds on to them" in str(line.get("msg"))]
    holder.close()
    r.stop("spooler")
baseline = figures.claim_p95_ms(zero, one)
out.info("claim p95 before, ms (bound of the histogram's bucket)", baseline)
out.at_most("claim p95 in the last minute, ms",
            figures.claim_p95_ms(two, three), 2 * baseline)
out.info("dwell p95 before, ms", round(before_dwell, 1))
out.at_most("dwell p95 in the last minute, ms", dwell, 2 * before_dwell)
out.at_most("rows ready at the end", depth, given.rate)
out.at_least("alarms that name the holder", len(alarm), 1)
out.at_most("alarms", len(alarm), 1)
sys.exit(out.status())
