-- The queue: what is to do, who does it, and what came of it.
--
-- The planner must not walk over all rows of a tenant, whatever statistics it has: queue
-- tables may have been empty when they were analysed, and full of dead entries now.  So
-- rows of the queue are found first, by constants or by LATERAL with OFFSET 0, which
-- leave the whole key as the only way, and then deleted by their place (ctid).  History
-- is another matter: its partitions are born with statistics (planner_teach).  Where
-- "{week}" stands, a statement goes straight to one of them (src/db/week.h).

-- name: ready_keys
-- A row for each tenant, lane and priority of which something became ready in the last $1
-- milliseconds (NULL: ever), with the tenant's weight, but for suspended tenants.  It
-- looks from the newest row on: what is oldest may be dead and not yet vacuumed.
SELECT r.tenant_id, r.lane, r.prio, t.weight
FROM tenant_ready r JOIN tenant t ON t.id = r.tenant_id AND t.state = 1
WHERE EXISTS (SELECT FROM (
    SELECT q.due FROM q_ready q WHERE q.tenant_id = r.tenant_id AND q.lane = r.lane
        AND q.prio = r.prio AND q.due >= COALESCE(now() - $1::bigint * interval '1 ms', '-infinity')
    ORDER BY q.due DESC LIMIT 1) newest)

-- name: ready_key_clear
-- Nothing; takes a key's mark away unless it has work again.
DELETE FROM tenant_ready t WHERE tenant_id = $1 AND lane = $2 AND prio = $3
    AND NOT EXISTS (SELECT FROM q_ready q WHERE q.tenant_id = $1 AND q.lane = $2
        AND q.prio = $3)

-- name: ready_keys_repair
-- Nothing; marks every key that has rows, by hopping from key to key of the index.
INSERT INTO tenant_ready (tenant_id, lane, prio)
WITH RECURSIVE k AS (
    (SELECT tenant_id, lane, prio FROM q_ready ORDER BY tenant_id, lane, prio LIMIT 1)
    UNION ALL
    SELECT n.tenant_id, n.lane, n.prio FROM k, LATERAL (
        SELECT q.tenant_id, q.lane, q.prio FROM q_ready q
        WHERE (q.tenant_id, q.lane, q.prio) > (k.tenant_id, k.lane, k.prio)
        ORDER BY q.tenant_id, q.lane, q.prio LIMIT 1) n
)
SELECT tenant_id, lane, prio FROM k
ON CONFLICT DO NOTHING

-- name: claim_route
-- The claimed notifications, oldest first; none of a suspended tenant.  Their rows
-- leave the queue in this transaction, which must go on to write what they become.  What
-- does not have an id from $5 up to $6 is not read: its columns are NULL.  So only the
-- partitions between are opened.
WITH c AS MATERIALIZED (
    SELECT tenant_id, due, id, ctid AS place FROM q_ready
    WHERE tenant_id = $1 AND lane = 0 AND prio = $2 AND due <= now()
        AND due >= GREATEST($3::timestamptz, '-infinity')
        AND EXISTS (SELECT FROM tenant WHERE id = $1 AND state = 1)
    ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED
), d AS (
    DELETE FROM q_ready q USING c
    WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
    RETURNING q.id, q.due
)
SELECT d.id, n.state, n.priority, n.template_id, n.template_version, n.category,
    n.locale, n.channels, n.content, n.recipients, n.data, n.expires_at, n.traceparent,
    n.created_at, n.user_ids, d.due, n.fallback, n.crashes, n.template_release,
    n.quiet_exempt, n.test, n.attachments IS NOT NULL, n.tracking
FROM d LEFT JOIN LATERAL (
    SELECT * FROM notification WHERE tenant_id = $1 AND id = d.id
        AND id >= $5 AND id < $6 OFFSET 0) n ON true
ORDER BY d.due, d.id

-- name: claim_lane
-- The claimed deliveries with their notifications, oldest first; none of a suspended
-- tenant.  Their rows leave the ready queue in this transaction, which must go on to
-- lease or close them.  $6 and $7 are as $5 and $6 of claim_route.
WITH c AS MATERIALIZED (
    SELECT tenant_id, due, id, ctid AS place FROM q_ready
    WHERE tenant_id = $1 AND lane = $2 AND prio = $3 AND due <= now()
        AND due >= GREATEST($4::timestamptz, '-infinity')
        AND EXISTS (SELECT FROM tenant WHERE id = $1 AND state = 1)
    ORDER BY due, id LIMIT $5 FOR UPDATE SKIP LOCKED
), q AS (
    DELETE FROM q_ready q USING c
    WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
    RETURNING q.id, q.notification_id, q.lease_no, q.due
)
SELECT n.id, n.state, n.priority, n.template_id, n.template_version, n.category,
    n.locale, n.channels, n.content, n.recipients, n.data, n.expires_at, n.traceparent,
    n.created_at, n.user_ids, q.due, n.fallback, n.crashes, n.template_release,
    n.quiet_exempt, n.test, n.attachments IS NOT NULL, n.tracking,
    q.id, q.notification_id, q.lease_no, d.recipient_no, d.channel, d.state,
    d.attempts, d.counted, d.crashes, d.user_id, d.address, d.recipient, d.locale,
    d.provider_id, d.created_at, d.failovers, d.revived_at,
    CASE WHEN (SELECT suppresses FROM tenant_generation WHERE tenant_id = $1) THEN
        EXISTS (SELECT FROM suppression s WHERE s.tenant_id = $1
            AND s.address = lower(d.address COLLATE "C") AND s.channel = d.channel
            AND s.provider_id = '00000000-0000-0000-0000-000000000000'
            AND s.category IN ('', n.category)) END, d.told
FROM q LEFT JOIN LATERAL (
    SELECT * FROM delivery WHERE tenant_id = $1
        AND notification_id = q.notification_id AND id = q.id
        AND notification_id >= $6 AND notification_id < $7 OFFSET 0) d ON true
LEFT JOIN LATERAL (
    SELECT * FROM notification WHERE tenant_id = $1
        AND id = q.notification_id AND id >= $6 AND id < $7 OFFSET 0) n ON true
ORDER BY q.due, q.id

-- name: route_write
-- Nothing.  The deliveries that notifications became; those in state "sending" with
-- their lease and first attempt, the others with their place in the queue.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::smallint[], $6::smallint[],
        $7::smallint[], $8::smallint[], $9::text[], $10::text[], $11::text[],
        $12::text[], $13::uuid[], $14::text[], $15::timestamptz[], $16::uuid[],
        $17::timestamptz[], $18::smallint[], $19::smallint[], $20::uuid[],
        $21::bigint[], $22::smallint[], $23::text[])
        AS r (notification_id, id, recipient_no, channel, state, prio, user_id,
            address, recipient, locale, provider_id, reason, expires_at, event_id, due,
            later, step, next_id, after_ms, unless, trace)
), d AS (
    INSERT INTO delivery (tenant_id, notification_id, id, recipient_no, channel, state,
        priority, attempts, user_id, address, recipient, locale, provider_id, reason,
        expires_at, finished_at, due, step, next_id, after_ms, unless, trace)
    SELECT $1, notification_id, id, recipient_no, channel, state, prio % 3,
        CASE state WHEN 3 THEN 1 ELSE 0 END, user_id, address, recipient::json, locale,
        provider_id, reason, expires_at, CASE WHEN state > 3 THEN now() END, due, step,
        next_id, after_ms, unless, trace::json
    FROM r
), a AS (
    INSERT INTO attempt (tenant_id, notification_id, delivery_id, n, lease_no, spooler,
        provider_id)
    SELECT $1, notification_id, id, 1, 1, $2, provider_id FROM r WHERE state = 3
), l AS (
    INSERT INTO q_leased (tenant_id, id, notification_id, lane, prio, lease_no, spooler)
    SELECT $1, id, notification_id, channel, prio, 1, $2 FROM r WHERE state = 3
), w AS (
    INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no, kind)
    SELECT $1, due, id, notification_id, channel, prio, 0, later FROM r
    WHERE state = 1 AND due IS NOT NULL
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, channel, prio, now(), id, notification_id, 0 FROM r WHERE state = 2
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, channel, prio FROM r WHERE state = 2
    ON CONFLICT DO NOTHING
)
INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, text, by)
SELECT $1, notification_id, event_id, id,
    CASE state WHEN 1 THEN CASE later WHEN 1 THEN 'delivery.deferred'
            ELSE 'delivery.scheduled' END
        WHEN 9 THEN 'delivery.skipped' WHEN 11 THEN 'delivery.expired'
        ELSE 'delivery.dead' END, channel, reason, 'spooler ' || $2::uuid
FROM r WHERE event_id IS NOT NULL

-- name: route_write_one
-- Nothing.  The same for a single delivery that is "sending", by far the most frequent
-- case: what nobody needs there costs more than half of it.
WITH d AS (
    INSERT INTO delivery (tenant_id, notification_id, id, recipient_no, channel, state,
        priority, attempts, user_id, address, recipient, locale, provider_id,
        expires_at, step, next_id, trace)
    VALUES ($1, $3, $4, $5, $6::smallint, 3, $7::smallint % 3, 1, $8, $9, $10, $11, $12,
        $13, $14, $15, $16)
), a AS (
    INSERT INTO attempt (tenant_id, notification_id, delivery_id, n, lease_no, spooler,
        provider_id)
    VALUES ($1, $3, $4, 1, 1, $2, $12)
)
INSERT INTO q_leased (tenant_id, id, notification_id, lane, prio, lease_no, spooler)
VALUES ($1, $4, $3, $6, $7, 1, $2)

-- name: notification_routed
-- Nothing.  Notifications and how many deliveries they became.
UPDATE notification{week} n
SET state = CASE r.open WHEN 0 THEN 3 ELSE 2 END, routed_at = now(),
    open_count = r.open, delivery_count = r.total,
    done_at = CASE r.open WHEN 0 THEN now() END
FROM unnest($2::uuid[], $3::int[], $4::int[]) AS r (id, open, total)
WHERE n.tenant_id = $1 AND n.id = r.id

-- name: lane_write
-- Nothing.  Leases claimed deliveries; those with an attempt number start it.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($5::uuid[], $6::uuid[], $7::int[], $8::int[], $9::uuid[])
        AS r (notification_id, id, lease_no, n, provider_id)
), l AS (
    INSERT INTO q_leased (tenant_id, id, notification_id, lane, prio, lease_no, spooler)
    SELECT $1, id, notification_id, $3, $4, lease_no, $2 FROM r
), a AS (
    INSERT INTO attempt{week} (tenant_id, notification_id, delivery_id, n, lease_no, spooler,
        provider_id)
    SELECT $1, notification_id, id, n, lease_no, $2, provider_id FROM r WHERE n > 0
)
UPDATE delivery{week} d SET state = 3, attempts = GREATEST(r.n, d.attempts),
    provider_id = COALESCE(r.provider_id, d.provider_id)
FROM r WHERE d.tenant_id = $1 AND d.notification_id = r.notification_id AND d.id = r.id

-- name: settle
-- The ids of the deliveries whose outcome took effect: those whose lease was still the
-- one that is named.  The others were taken over by another spooler.  What a receipt told
-- meanwhile goes before what the provider's first answer was; before that there was none
-- at all, by settle_held.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::int[],
        $7::smallint[], $8::smallint[], $9::bigint[], $10::text[], $11::text[],
        $12::text[], $13::int[], $14::uuid[], $15::smallint[], $16::smallint[],
        $17::smallint[], $18::text[])
        AS r (spooler, notification_id, id, lease_no, n, class, state, delay_ms, code,
            text, provider_ref, counted, event_id, later, failover, told, note)
), f AS MATERIALIZED (
    SELECT q.tenant_id, q.place, r.* FROM r CROSS JOIN LATERAL (
        SELECT tenant_id, ctid AS place FROM q_leased WHERE tenant_id = $1 AND id = r.id
            AND lease_no = r.lease_no AND spooler = r.spooler OFFSET 0) q
), l AS (
    DELETE FROM q_leased q USING f
    WHERE q.ctid = f.place AND q.tenant_id = f.tenant_id
    RETURNING q.lane, q.prio, f.*, now() + f.delay_ms * interval '1 ms' AS due
), a AS (
    UPDATE attempt{week} a SET finished_at = now(), class = l.class, state = l.state,
        next_due = CASE l.state WHEN 1 THEN l.due END, code = l.code, text = l.text,
        provider_ref = CASE l.told WHEN 0 THEN l.provider_ref END
    FROM l WHERE a.tenant_id = $1 AND a.notification_id = l.notification_id
        AND a.delivery_id = l.id AND a.n = l.n
), d AS (
    UPDATE delivery{week} d SET state = CASE WHEN l.state <> 4 THEN l.state
            WHEN d.told > 0 THEN 5 WHEN d.told < 0 THEN 6 ELSE 4 END,
        class = CASE WHEN l.state IN (4, 8) AND d.told < 0 THEN d.class ELSE l.class END,
        reason = CASE WHEN l.state IN (4, 8) AND d.told < 0 THEN d.reason
            WHEN l.state <> 4 THEN l.text END,
        told = CASE WHEN d.told >= 0 THEN GREATEST(d.told, l.told)
            WHEN l.state = 8 THEN d.told ELSE 0 END,
        due = CASE WHEN l.later >= 0 AND (l.state <> 4 OR d.told = 0) THEN l.due END,
        failovers = d.failovers + l.failover,
        trace = CASE WHEN l.note IS NULL OR length(d.trace::text) > 800 THEN d.trace
            ELSE (COALESCE(left(d.trace::text, -1) || ',', '[') || l.note || ']')::json
            END,
        provider_ref = COALESCE(l.provider_ref, d.provider_ref),
        counted = d.counted + l.counted,
        finished_at = CASE WHEN l.state IN (4, 5, 6, 7, 9, 10, 11) THEN now() END
    FROM l WHERE d.tenant_id = $1 AND d.notification_id = l.notification_id
        AND d.id = l.id
), w AS (
    INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no, kind)
    SELECT $1, due, id, notification_id, lane, prio, lease_no, later FROM l
    WHERE later >= 0
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, lane, prio, now(), id, notification_id, lease_no FROM l WHERE state = 2
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, lane, prio FROM l WHERE state = 2
    ON CONFLICT DO NOTHING
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel,
        class, text, by)
    SELECT $1, notification_id, event_id, id,
        CASE state WHEN 11 THEN 'delivery.expired' WHEN 7 THEN 'delivery.dead'
            WHEN 6 THEN 'delivery.failed' WHEN 5 THEN 'delivery.delivered'
            ELSE CASE later WHEN 0 THEN 'delivery.scheduled' ELSE 'delivery.deferred' END
            END, lane,
        NULLIF(class, 0), text, 'spooler ' || spooler
    FROM l WHERE n = 0
), n AS (
    UPDATE notification{week} n SET open_count = n.open_count - c.closed,
        state = CASE WHEN n.open_count <= c.closed AND n.state = 2 THEN 3
            ELSE n.state END,
        done_at = CASE WHEN n.open_count <= c.closed AND n.state = 2 THEN now()
            ELSE n.done_at END
    FROM (SELECT notification_id, count(*)::int AS closed FROM l
        WHERE state IN (4, 5, 6, 7, 9, 10, 11) GROUP BY notification_id) c
    WHERE n.tenant_id = $1 AND n.id = c.notification_id
)
SELECT id FROM l

-- name: settle_held
-- Nothing.  Of deliveries that ended so that nobody knows what became of them: what a
-- receipt told before counts as if it had been told now (decide_receipt).
WITH d AS (
    UPDATE delivery{week} d SET told = GREATEST(d.told, 0), due = NULL,
        state = CASE WHEN d.told > 0 THEN 5 WHEN d.class IN (2, 3, 6, 7) THEN 2 ELSE 6 END,
        reason = CASE WHEN d.told < 0 THEN d.reason END,
        failovers = d.failovers
            + CASE WHEN d.told < 0 AND d.class IN (2, 3, 6, 7) THEN 1 ELSE 0 END,
        finished_at = CASE WHEN d.told < 0 AND d.class IN (2, 3, 6, 7) THEN NULL
            ELSE now() END
    FROM unnest($2::uuid[], $3::uuid[]) AS r (notification_id, id)
    WHERE d.tenant_id = $1 AND d.notification_id = r.notification_id AND d.id = r.id
        AND d.state = 8 AND d.told <> 0
    RETURNING d.notification_id, d.id, d.state
), w AS (
    DELETE FROM q_later q USING d WHERE q.tenant_id = $1 AND q.id = d.id
    RETURNING q.lane, q.prio, q.lease_no, d.*
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, lane, prio, now(), id, notification_id, lease_no FROM w WHERE state = 2
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, lane, prio FROM w WHERE state = 2
    ON CONFLICT DO NOTHING
)
UPDATE notification{week} n SET open_count = n.open_count - c.closed,
    state = CASE WHEN n.open_count <= c.closed AND n.state = 2 THEN 3 ELSE n.state END,
    done_at = CASE WHEN n.open_count <= c.closed AND n.state = 2 THEN now()
        ELSE n.done_at END
FROM (SELECT notification_id, count(*)::int AS closed FROM d
    WHERE state <> 2 GROUP BY notification_id) c
WHERE n.tenant_id = $1 AND n.id = c.notification_id

-- name: late_results
-- Nothing.  Results that came after their lease was lost: recorded, not applied.
INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, attempt,
    class, code, text, by)
SELECT $1, r.notification_id, r.event_id, r.id, 'delivery.late_result', r.channel, r.n,
    r.class, r.code, r.text, 'spooler ' || r.spooler
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[], $7::int[],
    $8::smallint[], $9::text[], $10::text[])
    AS r (spooler, notification_id, id, event_id, channel, n, class, code, text)

-- name: later_due
-- A row for each tenant of $1, and for the first one with later work between each two of
-- them, by their numbers: the tenant, milliseconds until its first row is due (NULL: it has
-- none), from when on there may be any, and whether it is one of $1.  What was due before $2
-- (NULL: ever) is not looked at: those of $1 have nothing there but dead rows, and what is
-- committed late.  A transaction that sets a row due at once takes 10 s at most, mostly.
WITH k AS MATERIALIZED (
    SELECT tenant_id, since, lead(tenant_id, 1, 9223372036854775807)
        OVER (ORDER BY tenant_id) AS next
    FROM unnest((-1::bigint) || $1::bigint[], NULL::timestamptz || $2::timestamptz[])
        AS k (tenant_id, since)
)
SELECT x.tenant_id, ceil(extract(epoch FROM x.due - now()) * 1000)::bigint,
    LEAST(x.due, now() - interval '10 s'), x.known
FROM k, LATERAL (
    SELECT k.tenant_id, (SELECT q.due FROM q_later q WHERE q.tenant_id = k.tenant_id
        AND q.due >= COALESCE(k.since, '-infinity') ORDER BY q.due LIMIT 1) AS due,
        true AS known
    WHERE k.tenant_id >= 0
    UNION ALL
    (SELECT q.tenant_id, q.due, false FROM q_later q WHERE q.tenant_id > k.tenant_id
        AND q.tenant_id < k.next AND k.next > k.tenant_id + 1
        ORDER BY q.tenant_id, q.due LIMIT 1)
) x
ORDER BY x.tenant_id

-- name: later_promote
-- A row for each lane and priority that got work, and how much.  It comes into the queues
-- of what was deferred (priorities from 3 on), which take turns with the fresh ones.  $3: from
-- when on there may be any (NULL: not known).
WITH c AS MATERIALIZED (
    SELECT tenant_id, ctid AS place FROM q_later
    WHERE tenant_id = $1 AND due <= now() AND kind < 2
        AND due >= GREATEST($3::timestamptz, '-infinity')
    ORDER BY due, id LIMIT $2 FOR UPDATE SKIP LOCKED
), d AS (
    DELETE FROM q_later q USING c
    WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
    RETURNING q.id, q.notification_id, q.lane, (3 + q.prio % 3)::smallint AS prio,
        q.lease_no
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, lane, prio, now(), id, notification_id, lease_no FROM d
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, lane, prio FROM d ON CONFLICT DO NOTHING
)
SELECT lane, prio, count(*) FROM d GROUP BY lane, prio

-- name: later_over
-- A row for each delivery whose receipt did not come, with the lane and priority of those
-- that are ready again (else NULL).  What was held is dead, unless a receipt came before
-- it was held; what was sent goes to the next account.  $5 is as $3 above.
WITH c AS MATERIALIZED (
    SELECT tenant_id, ctid AS place FROM q_later
    WHERE tenant_id = $1 AND due <= now() AND kind >= 2
        AND due >= GREATEST($5::timestamptz, '-infinity')
    ORDER BY due, id LIMIT $2 FOR UPDATE SKIP LOCKED
), l AS (
    DELETE FROM q_later q USING c
    WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
    RETURNING q.id, q.notification_id, q.lane, (3 + q.prio % 3)::smallint AS prio,
        q.lease_no, q.kind
), d AS (
    UPDATE delivery d SET due = NULL,
        state = CASE WHEN l.kind <> 2 THEN 2 WHEN d.told > 0 THEN 5 ELSE 7 END,
        failovers = d.failovers + CASE l.kind WHEN 2 THEN 0 ELSE 1 END,
        finished_at = CASE l.kind WHEN 2 THEN now() END,
        reason = CASE WHEN l.kind <> 2 THEN 'no receipt came: the next provider sends it'
            WHEN d.told > 0 THEN 'a receipt told that it was delivered'
            ELSE 'it is not known whether it went out, and no receipt came' END
    FROM l WHERE d.tenant_id = $1 AND d.notification_id = l.notification_id
        AND d.id = l.id AND d.state = CASE l.kind WHEN 2 THEN 8 ELSE 4 END
    RETURNING d.notification_id, d.id, d.state, l.kind, l.lane, l.prio, l.lease_no,
        d.reason
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, lane, prio, now(), id, notification_id, lease_no FROM d WHERE kind = 3
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, lane, prio FROM d WHERE kind = 3 ON CONFLICT DO NOTHING
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, text,
        by)
    SELECT $1, notification_id, ($4::uuid[])[row_number() OVER ()], id,
        CASE state WHEN 2 THEN 'delivery.deferred' WHEN 5 THEN 'delivery.delivered'
            ELSE 'delivery.dead' END, lane, reason,
        'spooler ' || $3::uuid
    FROM d
), n AS (
    UPDATE notification n SET open_count = n.open_count + c.opened,
        state = CASE WHEN n.state = 3 AND n.open_count + c.opened > 0 THEN 2
            WHEN n.state = 2 AND n.open_count + c.opened <= 0 THEN 3 ELSE n.state END,
        done_at = CASE WHEN n.open_count + c.opened > 0 THEN NULL
            WHEN n.state = 2 THEN now() ELSE n.done_at END
    FROM (SELECT notification_id, sum(CASE kind WHEN 2 THEN -1 ELSE 1 END)::int AS opened
        FROM d GROUP BY notification_id) c
    WHERE n.tenant_id = $1 AND n.id = c.notification_id
)
SELECT CASE kind WHEN 3 THEN lane END, CASE kind WHEN 3 THEN prio END FROM d

-- name: heartbeat
-- One row: what time it is, and whether an operator wishes this spooler to drain.  It lives,
-- and this is how it is.  A new id takes over the wish for its slot, from whoever had it or left it.
WITH gone AS (
    DELETE FROM spooler WHERE host = $2 AND slot = $5 AND state = 6 AND id <> $1
)
INSERT INTO spooler (id, host, pid, version, slot, state, in_flight, claims, drain)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, COALESCE((SELECT drain FROM spooler
    WHERE host = $2 AND slot = $5 ORDER BY started_at DESC LIMIT 1), false))
ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), buried = false, state = excluded.state,
    in_flight = excluded.in_flight, claims = excluded.claims
RETURNING now(), drain

-- name: spooler_leave
-- Nothing.  A spooler that ends in order, or ended long ago.  A wish to drain outlives it.
WITH u AS (
    UPDATE spooler SET state = 6, in_flight = 0, claims = 0,
        heartbeat_at = now() - interval '30 minutes'
    WHERE id = $1 AND drain
)
DELETE FROM spooler WHERE id = $1 AND NOT drain
    OR heartbeat_at < now() - CASE state WHEN 6 THEN interval '90 days'
        ELSE interval '1 hour' END

-- name: leases_orphaned
-- A row for each tenant and spooler whose leases have no living owner; $1 is the age in
-- milliseconds at which a silent spooler is dead, $2 the one that asks.  Leases are looked
-- through when somebody died who is not buried, that is who was not seen to hold nothing
-- since, and always with $3: what a dead one committed late, or one of which no row is left.
-- Most rows of the table may be dead ones that cannot be vacuumed.
WITH dead AS MATERIALIZED (
    SELECT id FROM spooler WHERE id <> $2 AND NOT buried
        AND heartbeat_at < now() - $1 * interval '1 ms'
), l AS MATERIALIZED (
    SELECT DISTINCT l.tenant_id, l.spooler FROM q_leased l
    WHERE ($3::boolean OR EXISTS (SELECT FROM dead)) AND l.spooler <> $2
        AND NOT EXISTS (SELECT FROM spooler s WHERE s.id = l.spooler
            AND s.heartbeat_at >= now() - $1 * interval '1 ms')
), u AS (
    UPDATE spooler s SET buried = true FROM dead
    WHERE s.id = dead.id AND s.heartbeat_at < now() - $1 * interval '1 ms'
        AND NOT EXISTS (SELECT FROM l WHERE l.spooler = dead.id)
)
SELECT tenant_id, spooler FROM l

-- name: leases_of
-- A row for each tenant of which the spooler $1 holds leases, and the spooler.
SELECT DISTINCT tenant_id, spooler FROM q_leased WHERE spooler = $1

-- name: notification_blame
-- Nothing.  A spooler crashed while it routed this.
UPDATE notification SET crashes = crashes + 1 WHERE tenant_id = $1 AND id = $2

-- name: leases_take
-- The leases of a dead spooler, which leave the table in this transaction.
DELETE FROM q_leased WHERE tenant_id = $1 AND spooler = $2
RETURNING notification_id, id, lane, prio, lease_no

-- name: leases_rescue
-- Nothing.  Makes rescued deliveries ready again and says so on their timelines.  A receipt
-- that told of a failure told of the attempt that is lost, not of the next one.  $11 is the
-- signal by which the spooler ended.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::smallint[], $6::smallint[],
        $7::int[], $8::uuid[], $9::int[])
        AS r (notification_id, id, lane, prio, lease_no, event_id, blamed)
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, lane, prio, now(), id, notification_id, lease_no FROM r
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, lane, prio FROM r ON CONFLICT DO NOTHING
), d AS (
    UPDATE delivery d SET state = 2, told = GREATEST(d.told, 0),
        reason = CASE r.blamed WHEN 0 THEN d.reason
            ELSE 'the spooler crashed by signal ' || $11::int END,
        crashes = CASE r.blamed WHEN 0 THEN d.crashes ELSE 1 + CASE
            WHEN d.crashed_at > now() - $10::bigint * interval '1 ms' THEN d.crashes
            ELSE 0 END END,
        crashed_at = CASE r.blamed WHEN 0 THEN d.crashed_at ELSE now() END
    FROM r WHERE d.tenant_id = $1 AND d.notification_id = r.notification_id
        AND d.id = r.id AND d.state = 3
    RETURNING d.id, d.attempts
)
INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, attempt,
    code, text, by)
SELECT $1, r.notification_id, r.event_id, r.id, 'delivery.deferred', r.lane, d.attempts,
    CASE r.blamed WHEN 0 THEN 'rescued' ELSE 'crashed' END,
    CASE r.blamed WHEN 0 THEN 'the spooler that held it is gone: it is sent again'
        ELSE 'the spooler crashed by signal ' || $11::int
            || ', and this may be why: it is sent again, alone' END,
    'spooler ' || $2::uuid
FROM r JOIN d ON d.id = r.id

-- name: leases_own
-- A row for each lease of spooler $1.
SELECT tenant_id, notification_id, id, lane, lease_no FROM q_leased WHERE spooler = $1

-- name: lease_attempt
-- One row when lease $4 of delivery $3 began an attempt: its number.
SELECT n FROM attempt WHERE tenant_id = $1 AND notification_id = $2 AND delivery_id = $3
    AND lease_no = $4

-- name: partition_weeks
-- A row for each week whose partitions one may write to straight, the newest first: its
-- number, counted from the first Monday of 1970.
SELECT (to_date(right(c.relname, 8), 'YYYYMMDD') - '1970-01-05'::date) / 7 AS week
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'attempt'::regclass AND c.relname ~ '_[0-9]{8}$'
    AND has_table_privilege(c.oid, 'INSERT, UPDATE')
ORDER BY week DESC

-- name: partitions_make
-- One row: how many partitions were made.
SELECT partitions_make($1)

-- name: partitions_drop
-- One row: how many partitions were dropped, and whether more are to be, but somebody
-- reads them.
SELECT dropped, postponed FROM partitions_drop($1)

-- name: retention_apply
-- One row: the tenant after $1 (NULL: there is none), how many rows of it were removed,
-- and whether there may be more.
SELECT tenant, removed, more FROM retention_apply($1, $2, $3)
