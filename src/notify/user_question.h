/*
 * user_question.h - what stands for the ids in requests to a tenant's own directory
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between user_service.c, which checks settings, and user_question.c, which makes the
 * requests that user_service.h promises, and reads their answers.
 */
#ifndef BELFRY_NOTIFY_USER_QUESTION_H
#define BELFRY_NOTIFY_USER_QUESTION_H

#include <stdbool.h>

#include <jansson.h>

#define USER_ID "{user_id}"
#define USER_IDS "{user_ids}"

/* Does the text "{user_ids}" stand anywhere in it? */
bool user_question_has_ids(const json_t *body);

#endif
