-- The in-app inbox.

-- name: inbox_add
-- Nothing.  The entries $6 of deliveries whose lease is still the one that is named; what
-- is there already stays.
INSERT INTO inbox (tenant_id, user_id, id, notification_id, category, template, title,
    body, url, data)
SELECT $1, d.address, d.id, d.notification_id, n.category, t.key, r.entry ->> 'title',
    COALESCE(r.entry ->> 'body', ''), r.entry ->> 'url', r.entry -> 'data'
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::json[])
        AS r (spooler, notification_id, id, lease_no, entry)
    CROSS JOIN LATERAL (SELECT FROM q_leased WHERE tenant_id = $1 AND id = r.id
        AND lease_no = r.lease_no AND spooler = r.spooler OFFSET 0) q
    JOIN delivery d ON d.tenant_id = $1 AND d.notification_id = r.notification_id
        AND d.id = r.id
    JOIN notification n ON n.tenant_id = $1 AND n.id = r.notification_id
    LEFT JOIN template t ON t.tenant_id = $1 AND t.id = n.template_id
ON CONFLICT DO NOTHING
