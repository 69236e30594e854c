-- database_make.sql - the statement that makes the database
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- One row: a text.  It is run by itself, since it cannot be part of a transaction.
SELECT format('CREATE DATABASE %I ENCODING ''UTF8'' TEMPLATE template0',
    current_setting('belfry.database'));
