/*
 * cancel.c - /services/notifications/{id}/cancel and /reschedule
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/cancel.h"

#include "api/app.h"
#include "api/notifications.h"
#include "base/clock.h"
#include "base/err.h"
#include "notify/cancel.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

static const int64_t YEAR_MS = 366LL * 24 * 3600 * 1000;

struct reschedule_body {
	struct field_mask mask;
	int64_t send_at;
};

static const struct field fields[] = {
	FIELD(struct reschedule_body, send_at, TIME, .flags = FIELD_REQUIRED,
	    .help = "Not before this time; at most a year ahead. What is past is now.",
	    .example = "\"2026-12-01T08:00:00Z\""),
};

const struct field_table reschedule_body_table = FIELD_TABLE("Reschedule",
    struct reschedule_body, fields, "Another time for a notification.");

int
notifications_cancel(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct notification_id id;
	json_t *answer;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0 ||
	    cancel_notification(&ed, &id, &answer, e) != 0)
		return -1;
	return response_json(rs, 200, js_keep(rq->a, answer));
}

int
notifications_reschedule(struct request *rq, struct response *rs, struct err *e)
{
	const struct reschedule_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct notification_id id;

	if (body->send_at > clock_wall_ms() + YEAR_MS)
		return request_refuse(rq, e, "/send_at", FIELD_ERR_TOO_LARGE,
		    "it is more than a year ahead");
	if (request_arg_uuid(rq, 0, &id.u, e) != 0 ||
	    reschedule_notification(&ed, &id, body->send_at, e) != 0)
		return -1;
	return notifications_get(rq, rs, e);
}
