-- Addresses that are not to be written to any more (src/model/suppression.h).

-- name: suppression_list
-- Up to $8 rows behind the place $4 to $7, in the order of the key, of a channel ($2) and
-- a reason ($3), NULL: of any.
SELECT s.address, s.channel, s.provider_id, s.category, s.reason, s.source, s.code,
    s.notification_id, s.delivery_id, s.created_at, p.name
FROM suppression s
LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = s.provider_id
WHERE s.tenant_id = $1
    AND ($2::smallint IS NULL OR s.channel = $2)
    AND ($3::smallint IS NULL OR s.reason = $3)
    AND (s.address, s.channel, s.provider_id, s.category)
        > ($4::text, $5::smallint, $6::uuid, $7::text)
ORDER BY s.address, s.channel, s.provider_id, s.category
LIMIT $8

-- name: suppression_get
-- The rows of an address on a channel.
SELECT s.address, s.channel, s.provider_id, s.category, s.reason, s.source, s.code,
    s.notification_id, s.delivery_id, s.created_at, p.name
FROM suppression s
LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = s.provider_id
WHERE s.tenant_id = $1 AND s.address IN ($2, suppression_mark($4, $2)) AND s.channel = $3
ORDER BY s.provider_id, s.category

-- name: suppression_put
-- One row if it is new.
INSERT INTO suppression (tenant_id, address, channel, provider_id, category, reason,
    source, code)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
RETURNING 1

-- name: suppression_unsubscribe
-- One row if it is new: somebody followed the link of a delivery.
INSERT INTO suppression (tenant_id, address, channel, category, reason, source,
    notification_id, delivery_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
RETURNING 1

-- name: suppression_resubscribe
-- Nothing; how many rows were there is what was affected.  Takes back what such a link
-- did, nothing else.
DELETE FROM suppression WHERE tenant_id = $1
    AND address IN ($2, suppression_mark($6, $2)) AND channel = $3
    AND provider_id = '00000000-0000-0000-0000-000000000000' AND category = $4
    AND reason = $5

-- name: suppression_delete
-- Nothing; how many rows were there is what was affected.  All of an address on a channel.
DELETE FROM suppression WHERE tenant_id = $1
    AND address IN ($2, suppression_mark($4, $2)) AND channel = $3

-- name: suppression_opt_out
-- Nothing.  Addresses that said no, each to one account.
INSERT INTO suppression (tenant_id, address, channel, provider_id, reason, source, code)
SELECT $1, address, channel, provider_id, reason, source, code
FROM unnest($2::text[], $3::smallint[], $4::uuid[], $5::smallint[], $6::text[], $7::text[])
    AS r (address, channel, provider_id, reason, source, code)
ON CONFLICT DO NOTHING

-- name: suppression_lift
-- Nothing.  Those of an account and a reason, for every category: whoever said no says yes.
DELETE FROM suppression s
USING unnest($2::text[], $3::smallint[], $4::uuid[], $5::smallint[])
    AS r (address, channel, provider_id, reason)
WHERE s.tenant_id = $1
    AND s.address = ANY (ARRAY[r.address, suppression_mark($6, r.address)]) AND s.channel = r.channel
    AND s.provider_id = r.provider_id AND s.reason = r.reason

-- name: suppression_note
-- Nothing.  The addresses of deliveries, which alone know them: by account where that is
-- given, by the notification's category where that is asked for.  $9: when it was said.  The
-- last time of an unsubscription (reason $10) stays, and one from a category that was taken
-- back later, as the timeline knows, is none.
INSERT INTO suppression AS s (tenant_id, address, channel, provider_id, category, reason,
    source, code, notification_id, delivery_id, created_at)
SELECT DISTINCT ON (lower(d.address COLLATE "C"), d.channel, r.provider_id, k.category)
    $1::bigint, lower(d.address COLLATE "C"), d.channel, r.provider_id, k.category,
    r.reason, r.source, r.code, r.notification_id, r.id, LEAST(r.at, now())
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[], $7::text[],
    $8::smallint[], $9::timestamptz[])
    AS r (notification_id, id, provider_id, reason, source, code, by_category, at)
CROSS JOIN LATERAL (
    SELECT address, channel FROM delivery WHERE tenant_id = $1
        AND notification_id = r.notification_id AND id = r.id OFFSET 0) d
CROSS JOIN LATERAL (
    SELECT CASE r.by_category WHEN 1 THEN COALESCE((SELECT category FROM notification
        WHERE tenant_id = $1 AND id = r.notification_id), '') ELSE '' END AS category) k
WHERE d.address <> '' AND NOT (r.by_category = 1 AND r.reason = $10 AND EXISTS (
    SELECT FROM event e WHERE e.tenant_id = $1 AND e.notification_id = r.notification_id
        AND e.delivery_id = r.id AND e.type = 'delivery.resubscribed' AND e.at > r.at))
ORDER BY lower(d.address COLLATE "C"), d.channel, r.provider_id, k.category,
    r.at DESC NULLS FIRST
ON CONFLICT (tenant_id, address, channel, provider_id, category)
DO UPDATE SET created_at = excluded.created_at
WHERE s.reason = $10 AND excluded.reason = $10 AND s.created_at < excluded.created_at

-- name: suppression_note_lift
-- Nothing.  Takes back what was noted of deliveries for the category of their notification
-- before the time $4, for the reason $5 and no other.
DELETE FROM suppression s
USING unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS r (notification_id, id, at)
CROSS JOIN LATERAL (
    SELECT lower(address COLLATE "C") AS address, channel FROM delivery
    WHERE tenant_id = $1 AND notification_id = r.notification_id AND id = r.id OFFSET 0) d
CROSS JOIN LATERAL (
    SELECT COALESCE((SELECT category FROM notification
        WHERE tenant_id = $1 AND id = r.notification_id), '') AS category) k
WHERE s.tenant_id = $1 AND s.address IN (d.address, suppression_mark($6, d.address))
    AND s.channel = d.channel AND s.category = k.category AND s.reason = $5
    AND s.provider_id = '00000000-0000-0000-0000-000000000000'
    AND s.created_at < COALESCE(r.at, now())

-- name: suppression_find
-- The suppressions of addresses ($2) and of those of stored recipients ($3), in the order
-- of the addresses' bytes.
SELECT a.address, s.channel, s.provider_id, s.category, s.reason
FROM (
    SELECT lower(v COLLATE "C") AS address FROM unnest($2::text[]) v
    UNION
    SELECT lower(v COLLATE "C") FROM unnest($3::text[]) u
    CROSS JOIN LATERAL (
        SELECT email, phone FROM recipient
        WHERE tenant_id = $1 AND user_id = u OFFSET 0) r
    CROSS JOIN LATERAL (VALUES (r.email), (r.phone)) a (v)
    WHERE v IS NOT NULL) a
CROSS JOIN LATERAL (
    SELECT * FROM suppression WHERE tenant_id = $1
        AND address = ANY (ARRAY[a.address, suppression_mark($4, a.address)]) OFFSET 0) s
ORDER BY a.address

-- name: suppression_guard
-- One row, or a violation of "suppressed": none of these may be sent to.
SELECT suppression_guard($1, $2, $3, $4, $5, $6)
