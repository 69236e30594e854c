-- People who are reached, as services keep them here (src/model/recipient.h).

-- name: recipient_put
-- One row: the new version and whether the recipient is new.  None when it has another
-- version than $9 (0: any).
INSERT INTO recipient (tenant_id, user_id, email, phone, name, locale, time_zone, data,
    quiet_hours)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $10::json
WHERE $9::int = 0 OR EXISTS (
    SELECT FROM recipient WHERE tenant_id = $1 AND user_id = $2)
ON CONFLICT (tenant_id, user_id) DO UPDATE
SET email = excluded.email, phone = excluded.phone, name = excluded.name,
    locale = excluded.locale, time_zone = excluded.time_zone, data = excluded.data,
    quiet_hours = excluded.quiet_hours,
    version = recipient.version + 1, updated_at = now()
WHERE $9::int = 0 OR recipient.version = $9::int
RETURNING version, version = 1

-- name: recipient_find
-- A row for each of the ids $2 that there is.
SELECT user_id, email, phone, name, locale, time_zone, data, version, created_at,
    updated_at, quiet_hours
FROM recipient
WHERE tenant_id = $1 AND user_id = ANY ($2::text[])

-- name: recipient_list
-- Up to $3 rows whose id comes after $2, in the order of their ids.
SELECT user_id, email, phone, name, locale, time_zone, data, version, created_at,
    updated_at, quiet_hours
FROM recipient
WHERE tenant_id = $1 AND user_id > $2
ORDER BY user_id
LIMIT $3

-- name: recipient_delete
-- Nothing; one row is affected when there was one.  The devices go too.
WITH d AS (
    DELETE FROM device WHERE tenant_id = $1 AND user_id = $2
)
DELETE FROM recipient WHERE tenant_id = $1 AND user_id = $2
