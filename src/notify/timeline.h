/*
 * timeline.h - notifications, deliveries and what happened to them, as JSON
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the API answers and what belfryctl prints is made here from the same rows.
 */
#ifndef BELFRY_NOTIFY_TIMELINE_H
#define BELFRY_NOTIFY_TIMELINE_H

#include <jansson.h>

struct db_rows;

/* New references: the rows of queries notification_get (one row),
 * notification_deliveries and notification_timeline. */
json_t *notification_json(const struct db_rows *rows);
json_t *deliveries_json(const struct db_rows *rows);
json_t *timeline_json(const struct db_rows *rows);

/* A column as a member of an object; null when it is NULL. */
void row_text(json_t *json, const char *name, const struct db_rows *r, int row,
    int column);
void row_number(json_t *json, const char *name, const struct db_rows *r, int row,
    int column);
void row_time(json_t *json, const char *name, const struct db_rows *r, int row,
    int column);
void row_channel(json_t *json, const char *name, const struct db_rows *r, int row,
    int column);
void row_class(json_t *json, const char *name, const struct db_rows *r, int row,
    int column);
void row_json(json_t *json, const char *name, const struct db_rows *r, int row,
    int column);

#endif
