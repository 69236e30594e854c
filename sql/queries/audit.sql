-- Who changed what (src/model/audit.h).

-- name: audit_insert
-- Nothing.
INSERT INTO audit (tenant_id, id, principal, action, object, detail, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: audit_list
-- Up to $3 rows before the entry $2 (NULL: from the newest on), newest first.
SELECT id, at, principal, action, object, detail, request_id
FROM audit
WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2::uuid)
ORDER BY id DESC
LIMIT $3
