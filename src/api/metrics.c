/*
 * metrics.c - the counters of all processes of this host, for Prometheus
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdbool.h>
#include <string.h>

#include "api/app.h"
#include "api/system.h"
#include "auth/principal.h"
#include "base/err.h"
#include "base/metrics.h"
#include "web/request.h"
#include "web/response.h"

/* REMOTE_ADDR is what the web server saw; a header would be what anybody says. */
static bool
is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 ||
	    strncmp(address, "::ffff:127.", 11) == 0 ||
	    strcmp(address, "::1") == 0;
}

int
metrics_show(struct request *rq, struct response *rs, struct err *e)
{
	if (!is_loopback(rq->remote)) {
		if (app_authenticate(rq, e) != 0)
			return -1;
		if (!principal_may(rq->principal, SCOPE_PLATFORM))
			return err_set(e, ERR_FORBIDDEN,
			    "the credentials lack the scope \"platform\"");
	}
	metrics_render(response_body(rs, 200,
	    "text/plain; version=0.0.4; charset=utf-8"));
	return 0;
}
