-- Who changed what (src/model/audit.h).

-- name: audit_insert
-- Nothing.
INSERT INTO audit (tenant_id, id, principal, source, action, object, request_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: audit_insert_change
-- Nothing.  The entry is made when the transaction changed a watched table.
INSERT INTO audit (tenant_id, id, principal, source, action, object, request_id)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE COALESCE(current_setting('belfry.audit_changes', true), '') <> ''

-- name: audit_list
-- Up to $8 rows before the entry $7 (NULL: from the newest on), newest first: those that
-- fit principal, action, object (NULL: all), and whose time is from $5 until before $6.
SELECT id, audit_at(at), principal, source, action, object, detail, changes, request_id,
    seq, encode(prev_hash, 'hex'), encode(hash, 'hex')
FROM audit
WHERE tenant_id = $1 AND ($2::text IS NULL OR principal = $2::text)
    AND ($3::text IS NULL OR action = $3::text)
    AND ($4::text IS NULL OR object = $4::text)
    AND ($5::timestamptz IS NULL OR at >= $5::timestamptz)
    AND ($6::timestamptz IS NULL OR at < $6::timestamptz)
    AND ($7::uuid IS NULL OR id < $7::uuid)
ORDER BY id DESC
LIMIT $8

-- name: audit_chain
-- Up to $3 rows of the chain after the place $2, in its order; with $4 and $5 those whose
-- time is from $4 until before $5.  The last column is the hash as it should be.
SELECT id, audit_at(at), principal, source, action, object, detail, changes, request_id,
    seq, encode(prev_hash, 'hex'), encode(hash, 'hex'), encode(audit_hash(a), 'hex')
FROM audit a
WHERE tenant_id = $1 AND seq > $2
    AND ($4::timestamptz IS NULL OR at >= $4::timestamptz)
    AND ($5::timestamptz IS NULL OR at < $5::timestamptz)
ORDER BY seq
LIMIT $3

-- name: audit_ends
-- One row: the last place and hash of the chain by its head (NULL: there is none), and
-- how many entries are older than the chain.
SELECT (SELECT seq FROM audit_head WHERE tenant_id = $1),
    (SELECT encode(hash, 'hex') FROM audit_head WHERE tenant_id = $1),
    count(*)
FROM audit WHERE tenant_id = $1 AND seq IS NULL
