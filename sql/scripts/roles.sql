-- roles.sql - the roles of Belfry
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- Run by "belfryctl init" as a role that may make roles; what is there stays as it is.
-- belfry_owner owns everything and nobody connects as it; the others own nothing.
DO $$
DECLARE
    program text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'belfry_owner') THEN
        CREATE ROLE belfry_owner NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB
            NOCREATEROLE;
    END IF;
    FOREACH program IN ARRAY ARRAY['belfry_api', 'belfry_spooler', 'belfry_gateway',
        'belfry_report'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = program) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS
                NOCREATEDB NOCREATEROLE NOINHERIT', program);
        END IF;
    END LOOP;
    -- So that vacuum_holders() sees the transactions of others.  Who may not grant that
    -- (it takes ADMIN OPTION from PostgreSQL 16 on) gets no alarm of long ones.
    BEGIN
        IF NOT pg_has_role('belfry_owner', 'pg_read_all_stats', 'MEMBER') THEN
            GRANT pg_read_all_stats TO belfry_owner;
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
    -- Whoever made the roles acts as the owner; a superuser may anyway.  From PostgreSQL 16
    -- on it is a member at once, but one that may not SET ROLE; before, that word is
    -- not known.
    IF NOT pg_has_role('belfry_owner', CASE
            WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET'
            ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT belfry_owner TO %I', current_user);
    END IF;
END $$;
