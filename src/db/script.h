/*
 * script.h - the scripts of sql/scripts/, by name
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Texts for db_script(): what belfryctl does to roles and databases, which
 * cannot be prepared.  The file roles.sql there is SCRIPT_ROLES here.
 */
#ifndef BELFRY_DB_SCRIPT_H
#define BELFRY_DB_SCRIPT_H

enum script {
#define SCRIPT(NAME, name, sql) SCRIPT_##NAME,
#include "db/scripts.inc"
#undef SCRIPT
	SCRIPT_COUNT
};

const char *script_text(enum script script);

#endif
