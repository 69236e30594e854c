-- What is stored of a person (src/model/privacy.h).

-- name: privacy_patience
-- One row: lets the statements of this transaction take $1 milliseconds (0: any time).
SELECT set_config('statement_timeout', $1, true)

-- name: privacy_lock
-- One row: whether nobody else looks for a person of the tenant now.
SELECT pg_try_advisory_xact_lock(1884433000, hashint8($1))

-- name: privacy_export
-- A row for each thing that is stored of the person with the id $2 or the address $3: the
-- name of its list, and a JSON object.
SELECT list, entry FROM privacy_export($1, $2, $3)

-- name: privacy_erase
-- One row: what was done, as JSON.  $4 is the key of marks.
SELECT privacy_erase($1, $2, $3, $4)

-- name: hold_list
-- The tenant's holds, the latest first.
SELECT id, person, reason, set_by, set_at FROM legal_hold
WHERE tenant_id = $1 ORDER BY set_at DESC, id

-- name: hold_insert
-- Nothing.
INSERT INTO legal_hold (tenant_id, id, person, reason, set_by)
VALUES ($1, $2, $3, $4, $5)

-- name: hold_delete
-- Nothing; a row is affected when there was one.
DELETE FROM legal_hold WHERE tenant_id = $1 AND id = $2
