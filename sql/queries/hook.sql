-- What providers report (src/spooler/hooks.c).

-- name: hook_account
-- At most one row with one text: an account as its hook needs it, also one that is not
-- enabled, since receipts come late.
SELECT json_build_object('kind', kind, 'name', name, 'settings', settings,
    'sealed', encode(sealed, 'base64'), 'shared', shared_id,
    'allowed', allowed)
FROM provider WHERE tenant_id = $1 AND id = $2::text::uuid

-- name: hook_sender
-- At most one row: the account of a kind ($2) whose setting $3 is $4.
SELECT id FROM provider WHERE tenant_id = $1 AND kind = $2 AND settings ->> $3 = $4
ORDER BY id LIMIT 1

-- name: hook_put
-- Nothing.
INSERT INTO hook_inbox (tenant_id, id, provider_id, events)
SELECT $1, id, provider_id, events::json
FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS r (provider_id, id, events)

-- name: hook_foresee
-- Nothing.  Events $4 of an account, each to be applied $5 milliseconds from now.
INSERT INTO hook_inbox (tenant_id, id, provider_id, events, due)
SELECT $1, id, $2, events::json, now() + after_ms * interval '1 ms'
FROM unnest($3::uuid[], $4::text[], $5::bigint[]) AS r (id, events, after_ms)

-- name: hook_tenants
-- A row for each tenant that has something in the inbox.
SELECT hook_tenants()

-- name: hook_take
-- Up to $3 requests from $2 on, the oldest first, which leave the inbox in this
-- transaction.
WITH c AS MATERIALIZED (
    SELECT tenant_id, id, ctid AS place FROM hook_inbox
    WHERE tenant_id = $1 AND id >= $2 AND (due IS NULL OR due <= now())
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
), d AS (
    DELETE FROM hook_inbox h USING c
    WHERE h.ctid = c.place AND h.tenant_id = c.tenant_id
    RETURNING h.id, h.provider_id, h.events
)
SELECT d.id, d.provider_id, d.events, p.kind
FROM d LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = d.provider_id
ORDER BY d.id

-- name: hook_seen_put
-- The keys among $2 that were not seen before.
INSERT INTO hook_seen (tenant_id, key)
SELECT $1, decode(k, 'hex') FROM unnest($2::text[]) k
ON CONFLICT DO NOTHING
RETURNING encode(key, 'hex')

-- name: hook_seen_expire
-- One row: whether there are blocks behind the $3 from $2 on, from which went what was seen
-- more than $1 milliseconds ago.
WITH x AS (
    DELETE FROM hook_seen WHERE ctid >= format('(%s,0)', $2::bigint)::tid
        AND ctid < format('(%s,0)', $2::bigint + $3::bigint)::tid
        AND at < now() - $1::bigint * interval '1 ms'
)
SELECT pg_relation_size('hook_seen')
    > ($2::bigint + $3::bigint) * current_setting('block_size')::bigint

-- name: hook_known
-- The accounts and addresses among $2 and $3 that something was sent to, by the account,
-- within $4 milliseconds: by SMS or WhatsApp, whom alone people can answer.
SELECT r.provider_id, r.address
FROM unnest($2::uuid[], $3::text[]) AS r (provider_id, address) CROSS JOIN LATERAL (
    SELECT FROM delivery d WHERE d.tenant_id = $1 AND d.address = r.address
        AND d.notification_id >= uuid_floor(now() - $4 * interval '1 ms')
        AND d.provider_id = r.provider_id AND d.channel IN (2, 4)
    LIMIT 1) d

-- name: heard_put
-- Nothing.  Who wrote to an account; the latest time stays.
INSERT INTO heard (tenant_id, provider_id, address, at)
SELECT $1, provider_id, address, at
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS r (provider_id, address, at)
ON CONFLICT (tenant_id, provider_id, address)
DO UPDATE SET at = excluded.at WHERE heard.at < excluded.at

-- name: heard_find
-- One row when that address wrote to the account within $4 milliseconds.
SELECT 1 FROM heard WHERE tenant_id = $1 AND provider_id = $2 AND address = $3
    AND at > now() - $4 * interval '1 ms'

-- name: heard_expire
-- One row: whether there are blocks behind the $3 from $2 on, from which those went who
-- wrote more than $1 milliseconds ago.
WITH x AS (
    DELETE FROM heard WHERE ctid >= format('(%s,0)', $2::bigint)::tid
        AND ctid < format('(%s,0)', $2::bigint + $3::bigint)::tid
        AND at < now() - $1::bigint * interval '1 ms'
)
SELECT pg_relation_size('heard')
    > ($2::bigint + $3::bigint) * current_setting('block_size')::bigint

-- name: bounce_deliveries
-- The deliveries of a notification on channel $3, with their last accounts.
SELECT id, provider_id FROM delivery
WHERE tenant_id = $1 AND notification_id = $2 AND channel = $3
    AND provider_id IS NOT NULL
ORDER BY id
