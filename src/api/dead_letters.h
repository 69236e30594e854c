/*
 * dead_letters.h - /admin/dead-letters
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_DEAD_LETTERS_H
#define BELFRY_API_DEAD_LETTERS_H

#include "web/field.h"

struct err;
struct request;
struct response;

extern const struct field_table dead_query_table;
extern const struct field_table dead_body_table;
extern const struct field_table dead_answer_table;

int dead_letters_list(struct request *rq, struct response *rs, struct err *e);
int dead_letters_replay(struct request *rq, struct response *rs, struct err *e);
int dead_letters_discard(struct request *rq, struct response *rs,
    struct err *e);

#endif
