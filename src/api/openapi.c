/*
 * openapi.c - the description of this API
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It is made when somebody asks for the first time and does not change after that.
 */
#include "config.h"

#include "api/app.h"
#include "api/routes.h"
#include "api/system.h"
#include "base/arena.h"
#include "base/buf.h"
#include "notify/webhook_event.h"
#include "web/js.h"
#include "web/openapi.h"
#include "web/request.h"
#include "web/response.h"

enum { DOCUMENT_BYTES_MAX = 4 * 1024 * 1024 };

static const char *
document(struct app *app, struct arena *a)
{
	struct openapi_info info = {
		.title = "Belfry",
		.version = PACKAGE_VERSION,
		.description = "Multi-tenant notifications.",
		.license = "BSD-2-Clause",
		.webhooks = webhook_event_openapi(),
	};
	struct buf *b = buf_new(a, DOCUMENT_BYTES_MAX);
	const struct route *routes;
	size_t count;

	routes = api_routes(&count);
	js_write(b, openapi_make(a, &info, routes, count));
	json_decref(info.webhooks);
	return arena_strdup(app->a, b->data);
}

int
openapi_show(struct request *rq, struct response *rs, struct err *e)
{
	struct app *app = app_of(rq);

	if (app->openapi == NULL)
		app->openapi = document(app, rq->a);
	buf_puts(response_body(rs, 200, "application/json"), app->openapi);
	rs->cache = "no-cache";
	return 0;
}
