/*
 * secret_file.h - secrets of tenants that the operator keeps in files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They lie as TENANT/NAME below one directory (secrets.directory), so a tenant can name
 * its own files and no others.
 */
#ifndef BELFRY_BASE_SECRET_FILE_H
#define BELFRY_BASE_SECRET_FILE_H

#include "base/compiler.h"

struct arena;
struct err;

/* The content of a file without the blanks at its end, in "a", wiped with it.  Tenant and
 * name are slugs.  -1 with *e when it is not there, is empty, too long, not a regular
 * file, or everybody may read it or others may change it. */
int secret_file_read(struct arena *a, const char *directory, const char *tenant,
    const char *name, const char **secret_r, struct err *e) MUST_CHECK;

#endif
