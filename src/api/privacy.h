/*
 * privacy.h - what is stored of a person, told and erased; legal holds
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_PRIVACY_H
#define BELFRY_API_PRIVACY_H

#include "base/compiler.h"

struct err;
struct field_table;
struct request;
struct response;

extern const struct field_table person_body_table;
extern const struct field_table erase_receipt_table;
extern const struct field_table legal_hold_table;

/* Of {user_id}, for administrators. */
int privacy_export_show(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int privacy_erase_do(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

/* Of whom the body names, by an id or an address. */
int privacy_export_by(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int privacy_erase_by(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

/* The same for whom the token is about. */
int privacy_me_export(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int privacy_me_erase(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

int legal_holds_list(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int legal_holds_create(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int legal_holds_delete(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

#endif
