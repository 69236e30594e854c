/*
 * raw_bodies.h - bodies and answers of routes that read and write them by themselves
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For the OpenAPI document alone: what others have laid down (OAuth, RFC 8058, the
 * providers) is read by the handlers as it is written there.
 */
#ifndef BELFRY_API_RAW_BODIES_H
#define BELFRY_API_RAW_BODIES_H

#include "web/router.h"

struct field_table;

extern const struct field_table oauth_answer_table;

extern const struct route_content oauth_contents[];
extern const struct route_content hook_contents[];
extern const struct route_content hook_challenge_contents[];
extern const struct route_content unsubscribe_show_contents[];
extern const struct route_content unsubscribe_contents[];
extern const struct route_content link_contents[];
extern const struct route_content receipt_contents[];

#endif
