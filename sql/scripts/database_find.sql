-- database_find.sql - is there the database that belfry.database names?
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- One row if there is: its name.
SELECT datname FROM pg_database
WHERE datname = current_setting('belfry.database');
