-- database.sql - schema, rights and settings of the database
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- Run by "belfryctl init" in Belfry's database, and as often as one likes.  The
-- settings hold for each session of a role in this database: short statements, no
-- compilation of them, plans that do not depend on values, and, for the spooler,
-- nothing but index scans of its small hot tables, whatever their statistics say.
DO $$
DECLARE
    setting record;
BEGIN
    CREATE SCHEMA IF NOT EXISTS belfry AUTHORIZATION belfry_owner;
    GRANT USAGE ON SCHEMA belfry
        TO belfry_api, belfry_spooler, belfry_gateway, belfry_report;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO belfry_owner, belfry_api,
        belfry_spooler, belfry_gateway, belfry_report', current_database());
    EXECUTE format('ALTER DATABASE %I SET search_path = belfry', current_database());
    FOR setting IN
        SELECT * FROM (VALUES
            ('belfry_api', 'jit', 'off'),
            ('belfry_api', 'plan_cache_mode', 'force_generic_plan'),
            ('belfry_api', 'statement_timeout', '5s'),
            ('belfry_api', 'idle_in_transaction_session_timeout', '10s'),
            ('belfry_spooler', 'jit', 'off'),
            ('belfry_spooler', 'plan_cache_mode', 'force_generic_plan'),
            ('belfry_spooler', 'statement_timeout', '10s'),
            ('belfry_spooler', 'idle_in_transaction_session_timeout', '10s'),
            ('belfry_spooler', 'enable_seqscan', 'off'),
            ('belfry_spooler', 'enable_hashjoin', 'off'),
            ('belfry_spooler', 'enable_mergejoin', 'off'),
            ('belfry_gateway', 'jit', 'off'),
            ('belfry_gateway', 'statement_timeout', '5s'),
            ('belfry_gateway', 'idle_in_transaction_session_timeout', '10s'),
            ('belfry_report', 'jit', 'off'),
            ('belfry_report', 'statement_timeout', '60s'),
            ('belfry_report', 'idle_in_transaction_session_timeout', '10s')
        ) AS s (program, name, value) LOOP
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET %I = %L', setting.program,
            current_database(), setting.name, setting.value);
    END LOOP;
END $$;
