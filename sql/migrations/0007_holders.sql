-- 0007_holders: who keeps PostgreSQL from vacuuming.

-- A row for each that keeps dead rows alive: transactions with a snapshot in this
-- database, prepared ones, replication slots and standbys.  "holder" is the same as long
-- as it is the same one that holds the same; "age_ms" is NULL where PostgreSQL does not
-- know since when.  No statement's text: the spooler, which calls this, may not read
-- what others do.  belfry_owner has pg_read_all_stats for it ("belfryctl init").
CREATE FUNCTION vacuum_holders() RETURNS TABLE (kind text, holder text, pid int,
    username text, application text, age_ms bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT 'transaction', a.pid || ' since ' || a.xact_start, a.pid, a.usename::text,
        a.application_name,
        (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.backend_type = 'client backend'
        AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
        AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
    UNION ALL
    SELECT 'prepared transaction', p.gid, NULL, p.owner::text, NULL,
        (extract(epoch FROM clock_timestamp() - p.prepared) * 1000)::bigint
    FROM pg_prepared_xacts p WHERE p.database = current_database()
    UNION ALL
    SELECT 'replication slot', s.slot_name || ' at '
        || COALESCE(s.xmin, s.catalog_xmin), s.active_pid, NULL, s.plugin::text, NULL
    FROM pg_replication_slots s
    WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
    UNION ALL
    SELECT 'standby', a.pid || ' at ' || a.backend_xmin, a.pid, a.usename::text,
        a.application_name, NULL
    FROM pg_stat_activity a
    WHERE a.backend_type = 'walsender' AND a.backend_xmin IS NOT NULL
$$;

REVOKE ALL ON FUNCTION vacuum_holders() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vacuum_holders() TO belfry_spooler;
