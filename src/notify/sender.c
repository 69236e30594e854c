/*
 * sender.c - whether anybody may send as the address that a request names
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/sender.h"

#include "base/err.h"
#include "db/db.h"
#include "model/channel.h"
#include "notify/accept.h"
#include "notify/send_request.h"
#include "web/field.h"

int
sender_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe, struct err *e)
{
	const struct send_content *content = p->request->content;
	struct db_batch *b;
	struct db_rows **rows;

	if (content == NULL || content->email == NULL ||
	    content->email->from == NULL)
		return 0;
	b = db_batch_new(a, p->tenant, DB_ONE);
	db_add(b, Q_PROVIDER_SENDER);
	db_arg_int(b, p->tenant.n);
	db_arg_int(b, CHANNEL_EMAIL);
	db_arg_text(b, content->email->from);
	if (db_run(p->db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) > 0)
		return 0;
	field_errors_add(fe, "/content/email/from", FIELD_ERR_NOT_ALLOWED,
	    "no account for e-mail may send as this: it is neither its from nor "
	    "among its senders");
	return err_set(e, ERR_UNPROCESSABLE, "%s", fe->first->detail);
}
