-- Where push messages of users go (src/model/device.h).

-- name: device_put
-- One row: the device's id and whether it is new.  A token that is there already changes
-- its owner and is younger.
INSERT INTO device (tenant_id, user_id, id, token, platform, app)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, token) DO UPDATE
SET user_id = excluded.user_id, platform = excluded.platform, app = excluded.app,
    updated_at = now()
RETURNING id, id = $3

-- name: device_list
-- A row for each device of the user, the latest registered first.
SELECT id, token, platform, app, created_at, updated_at FROM device
WHERE tenant_id = $1 AND user_id = $2
ORDER BY updated_at DESC, id

-- name: device_delete
-- Nothing; a row is affected for each device that was there: the one of id $3, or all of
-- the user when that is NULL.
DELETE FROM device WHERE tenant_id = $1 AND user_id = $2
    AND ($3::uuid IS NULL OR id = $3)

-- name: device_gone
-- Nothing.  Providers said of attempts that their device is no more: forgets those that
-- were not registered again since the attempt began.
DELETE FROM device v USING unnest($2::uuid[], $3::uuid[], $4::int[])
        AS r (notification_id, id, n),
    LATERAL (SELECT d.address, a.started_at FROM delivery d, attempt a
        WHERE d.tenant_id = $1 AND d.notification_id = r.notification_id
            AND d.id = r.id AND a.tenant_id = $1
            AND a.notification_id = r.notification_id AND a.delivery_id = r.id
            AND a.n = r.n OFFSET 0) g
WHERE v.tenant_id = $1 AND v.token = g.address AND v.updated_at < g.started_at
