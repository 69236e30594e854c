/*
 * path.h - names of files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_PATH_H
#define BELFRY_BASE_PATH_H

/* The part of "path" below the directory "base" without its leading slash, "" for the base
 * itself; NULL when it is not below, when it has "." or ".." in it, or when the base is NULL
 * or no absolute path.  It is about names: symbolic links are not looked at. */
const char *path_below(const char *base, const char *path);

#endif
