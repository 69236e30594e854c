/*
 * routes.c - every endpoint of belfry-api
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What does not stand here does not exist: dispatcher, authorisation and the OpenAPI
 * document all go by this table.
 */
#include "api/routes.h"

#include "api/cancel.h"
#include "api/dead_letters.h"
#include "api/devices.h"
#include "api/notifications.h"
#include "api/page.h"
#include "api/provider_test.h"
#include "api/providers.h"
#include "api/recipients.h"
#include "api/suppressions.h"
#include "api/system.h"
#include "api/template_preview.h"
#include "api/template_versions.h"
#include "api/templates.h"
#include "notify/health_report.h"
#include "notify/send_request.h"
#include "web/router.h"

#define ADMIN "/api/v1/admin"
#define SERVICES "/api/v1/services"

/* The body of a template holds all its sources. */
enum { TEMPLATE_BODY_MAX = 2 * 1024 * 1024 };

static const struct route routes[] = {
	/* System */
	{ HTTP_GET, "/health", .handler = health_all, .status = 200,
	    .summary = "Health of this instance", .tags = "system" },
	{ HTTP_GET, "/health/live", .handler = health_live, .status = 200,
	    .summary = "Whether a worker answers", .tags = "system" },
	{ HTTP_GET, "/health/ready", .handler = health_ready, .status = 200,
	    .summary = "Whether what it needs is there", .tags = "system" },
	{ HTTP_GET, "/metrics", .handler = metrics_show, .status = 200,
	    .summary = "Counters for Prometheus", .tags = "system",
	    .answer_type = "text/plain" },
	{ HTTP_GET, "/api/openapi.json", .handler = openapi_show,
	    .status = 200, .summary = "This document", .tags = "system" },

	/* Notifications */
	{ HTTP_POST, SERVICES "/notifications/send",
	    .scope = "notifications:send", .handler = notifications_send,
	    .body = &send_request_table, .status = 202,
	    .flags = ROUTE_IDEMPOTENT,
	    .summary = "Sends a notification to one or a few recipients",
	    .tags = "notifications" },
	{ HTTP_GET, SERVICES "/notifications/{id}",
	    .scope = "notifications:read", .handler = notifications_get,
	    .status = 200, .summary = "Shows a notification and its deliveries",
	    .tags = "notifications" },
	{ HTTP_GET, SERVICES "/notifications/{id}/timeline",
	    .scope = "notifications:read", .handler = notifications_timeline,
	    .status = 200,
	    .summary = "Tells everything that happened, oldest first",
	    .tags = "notifications" },

	{ HTTP_GET, SERVICES "/notifications/{id}/explain",
	    .scope = "notifications:read", .handler = notifications_explain,
	    .status = 200,
	    .summary = "Tells why its deliveries went their way",
	    .tags = "notifications" },
	{ HTTP_POST, SERVICES "/notifications/explain",
	    .scope = "notifications:send", .body = &send_request_table,
	    .handler = notifications_explain_request, .status = 200,
	    .summary = "Tells what would become of a notification, and sends "
	               "nothing",
	    .tags = "notifications" },
	{ HTTP_POST, SERVICES "/notifications/{id}/cancel",
	    .scope = "notifications:send", .handler = notifications_cancel,
	    .status = 200, .summary = "Takes back what has not gone out",
	    .tags = "notifications" },
	{ HTTP_POST, SERVICES "/notifications/{id}/reschedule",
	    .scope = "notifications:send", .handler = notifications_reschedule,
	    .body = &reschedule_body_table, .status = 200,
	    .summary = "Gives a notification that waits another time",
	    .tags = "notifications" },

	/* Recipients */
	{ HTTP_GET, SERVICES "/recipients", .scope = "recipients:read",
	    .handler = recipients_list, .query = &page_query_table,
	    .status = 200, .summary = "Lists recipients",
	    .tags = "recipients" },
	{ HTTP_GET, SERVICES "/recipients/{user_id}",
	    .scope = "recipients:read", .handler = recipients_get,
	    .answer = &recipient_body_table, .status = 200,
	    .flags = ROUTE_ETAG, .summary = "Shows a recipient",
	    .tags = "recipients" },
	{ HTTP_PUT, SERVICES "/recipients/{user_id}",
	    .scope = "recipients:write", .handler = recipients_put,
	    .body = &recipient_body_table, .answer = &recipient_body_table,
	    .status = 200, .flags = ROUTE_ETAG,
	    .summary = "Stores or replaces a recipient",
	    .tags = "recipients" },
	{ HTTP_DELETE, SERVICES "/recipients/{user_id}",
	    .scope = "recipients:write", .handler = recipients_delete,
	    .status = 204, .summary = "Deletes a recipient",
	    .tags = "recipients" },

	{ HTTP_GET, SERVICES "/recipients/{user_id}/devices",
	    .scope = "recipients:read", .handler = devices_list, .status = 200,
	    .summary = "Lists the devices of a recipient",
	    .tags = "recipients" },
	{ HTTP_PUT, SERVICES "/recipients/{user_id}/devices",
	    .scope = "recipients:write", .handler = devices_put,
	    .body = &device_body_table, .answer = &device_body_table,
	    .status = 200,
	    .summary = "Registers a device of a recipient, or again",
	    .tags = "recipients" },
	{ HTTP_DELETE, SERVICES "/recipients/{user_id}/devices",
	    .scope = "recipients:write", .handler = devices_clear,
	    .status = 204, .summary = "Forgets all devices of a recipient",
	    .tags = "recipients" },
	{ HTTP_DELETE, SERVICES "/recipients/{user_id}/devices/{id}",
	    .scope = "recipients:write", .handler = devices_delete,
	    .status = 204, .summary = "Forgets a device",
	    .tags = "recipients" },

	/* Templates */
	{ HTTP_GET, ADMIN "/templates", .scope = "templates:read",
	    .handler = templates_list, .query = &page_query_table,
	    .status = 200, .summary = "Lists templates without sources",
	    .tags = "templates" },
	{ HTTP_POST, ADMIN "/templates", .scope = "templates:write",
	    .handler = templates_create, .body = &template_body_table,
	    .body_max = TEMPLATE_BODY_MAX, .answer = &template_body_table,
	    .status = 201, .summary = "Makes a template",
	    .tags = "templates" },
	{ HTTP_GET, ADMIN "/templates/{key}", .scope = "templates:read",
	    .handler = templates_get, .answer = &template_body_table,
	    .status = 200, .flags = ROUTE_ETAG,
	    .summary = "Shows a template with its latest sources",
	    .tags = "templates" },
	{ HTTP_PUT, ADMIN "/templates/{key}", .scope = "templates:write",
	    .handler = templates_put, .body = &template_body_table,
	    .body_max = TEMPLATE_BODY_MAX, .answer = &template_body_table,
	    .status = 200, .flags = ROUTE_ETAG,
	    .summary = "Makes or replaces a template",
	    .tags = "templates" },
	{ HTTP_PATCH, ADMIN "/templates/{key}", .scope = "templates:write",
	    .handler = templates_patch, .body = &template_body_table,
	    .body_max = TEMPLATE_BODY_MAX, .answer = &template_body_table,
	    .status = 200, .flags = ROUTE_ETAG | ROUTE_MERGE_PATCH,
	    .summary = "Changes a template", .tags = "templates" },
	{ HTTP_DELETE, ADMIN "/templates/{key}", .scope = "templates:write",
	    .handler = templates_delete, .status = 204, .flags = ROUTE_ETAG,
	    .summary = "Deletes a template and its versions",
	    .tags = "templates" },
	{ HTTP_GET, ADMIN "/templates/{key}/versions",
	    .scope = "templates:read", .handler = template_versions_list,
	    .query = &page_query_table, .status = 200,
	    .summary = "Lists versions, the newest first",
	    .tags = "templates" },
	{ HTTP_GET, ADMIN "/templates/{key}/versions/{version}",
	    .scope = "templates:read", .handler = template_versions_get,
	    .status = 200, .summary = "Shows the sources of a version",
	    .tags = "templates" },
	{ HTTP_POST, ADMIN "/templates/{key}/publish",
	    .scope = "templates:write", .handler = templates_publish,
	    .body = &publish_body_table, .answer = &template_body_table,
	    .status = 200, .flags = ROUTE_ETAG | ROUTE_BODY_OPTIONAL,
	    .summary = "Puts a version into use, also an older one",
	    .tags = "templates" },
	{ HTTP_POST, ADMIN "/templates/{key}/rollback",
	    .scope = "templates:write", .handler = templates_rollback,
	    .body = &rollback_body_table, .answer = &template_body_table,
	    .status = 200, .flags = ROUTE_ETAG | ROUTE_BODY_OPTIONAL,
	    .summary = "Puts a version into use that was before",
	    .tags = "templates" },
	{ HTTP_GET, ADMIN "/templates/{key}/diff",
	    .scope = "templates:read", .handler = templates_diff,
	    .query = &diff_query_table, .status = 200,
	    .summary = "Compares two versions line by line",
	    .tags = "templates" },

	{ HTTP_POST, ADMIN "/templates/{key}/preview",
	    .scope = "templates:read", .handler = templates_preview,
	    .body = &preview_body_table, .status = 200,
	    .flags = ROUTE_BODY_OPTIONAL,
	    .summary = "Renders a version, also a draft, and says what is wrong",
	    .tags = "templates" },
	{ HTTP_POST, SERVICES "/templates/{key}/preview",
	    .scope = "templates:read", .handler = templates_preview,
	    .body = &preview_body_table, .status = 200,
	    .flags = ROUTE_BODY_OPTIONAL,
	    .summary = "Renders a template for its service",
	    .tags = "templates" },

	/* Dead letters */
	{ HTTP_GET, ADMIN "/dead-letters", .scope = "admin:read",
	    .handler = dead_letters_list, .query = &dead_query_table,
	    .status = 200, .summary = "Lists deliveries that were given up",
	    .tags = "dead letters" },
	{ HTTP_POST, ADMIN "/dead-letters/replay", .scope = "admin",
	    .handler = dead_letters_replay, .body = &dead_body_table,
	    .answer = &dead_answer_table, .status = 200,
	    .summary = "Tries dead deliveries again", .tags = "dead letters" },
	{ HTTP_POST, ADMIN "/dead-letters/discard", .scope = "admin",
	    .handler = dead_letters_discard, .body = &dead_body_table,
	    .answer = &dead_answer_table, .status = 200,
	    .summary = "Gives up dead deliveries for good",
	    .tags = "dead letters" },

	/* Suppressions */
	{ HTTP_GET, ADMIN "/suppressions", .scope = "admin",
	    .handler = suppressions_list, .query = &suppression_query_table,
	    .status = 200,
	    .summary = "Lists addresses that are not written to any more",
	    .tags = "suppressions" },
	{ HTTP_POST, ADMIN "/suppressions", .scope = "admin",
	    .handler = suppressions_create, .body = &suppression_body_table,
	    .answer = &suppression_body_table, .status = 201,
	    .summary = "Suppresses an address", .tags = "suppressions" },
	{ HTTP_GET, ADMIN "/suppressions/{channel}/{address}",
	    .scope = "admin", .handler = suppressions_get, .status = 200,
	    .summary = "Tells what suppresses an address",
	    .tags = "suppressions" },
	{ HTTP_DELETE, ADMIN "/suppressions/{channel}/{address}",
	    .scope = "admin", .handler = suppressions_delete, .status = 204,
	    .summary = "Lets an address be written to again",
	    .tags = "suppressions" },

	/* Providers */
	{ HTTP_GET, ADMIN "/provider-kinds", .scope = "providers:read",
	    .handler = provider_kinds, .status = 200,
	    .summary = "Lists the kinds of providers and their settings",
	    .tags = "providers" },
	{ HTTP_GET, ADMIN "/providers", .scope = "providers:read",
	    .handler = providers_list, .query = &page_query_table,
	    .status = 200, .summary = "Lists provider accounts",
	    .tags = "providers" },
	{ HTTP_POST, ADMIN "/providers", .scope = "providers:write",
	    .handler = providers_create, .body = &provider_body_table,
	    .answer = &provider_body_table, .status = 201,
	    .summary = "Makes a provider account", .tags = "providers" },
	{ HTTP_GET, ADMIN "/providers/{id}", .scope = "providers:read",
	    .handler = providers_get, .answer = &provider_body_table,
	    .status = 200, .flags = ROUTE_ETAG,
	    .summary = "Shows an account without its secrets",
	    .tags = "providers" },
	{ HTTP_PUT, ADMIN "/providers/{id}", .scope = "providers:write",
	    .handler = providers_put, .body = &provider_body_table,
	    .answer = &provider_body_table, .status = 200,
	    .flags = ROUTE_ETAG,
	    .summary = "Replaces an account, its secrets too",
	    .tags = "providers" },
	{ HTTP_PATCH, ADMIN "/providers/{id}", .scope = "providers:write",
	    .handler = providers_patch, .body = &provider_body_table,
	    .answer = &provider_body_table, .status = 200,
	    .flags = ROUTE_ETAG | ROUTE_MERGE_PATCH,
	    .summary = "Changes an account; secrets not named stay",
	    .tags = "providers" },
	{ HTTP_DELETE, ADMIN "/providers/{id}", .scope = "providers:write",
	    .handler = providers_delete, .status = 204, .flags = ROUTE_ETAG,
	    .summary = "Deletes an account", .tags = "providers" },
	{ HTTP_GET, ADMIN "/providers/{id}/health", .scope = "providers:read",
	    .handler = providers_health, .answer = &health_report_table,
	    .status = 200, .summary = "Shows how an account is doing",
	    .tags = "providers" },
	{ HTTP_POST, ADMIN "/providers/{id}/enable",
	    .scope = "providers:write", .handler = providers_enable,
	    .answer = &provider_body_table, .status = 200,
	    .flags = ROUTE_ETAG, .summary = "Enables or unparks an account",
	    .tags = "providers" },
	{ HTTP_POST, ADMIN "/providers/{id}/disable",
	    .scope = "providers:write", .handler = providers_disable,
	    .answer = &provider_body_table, .status = 200,
	    .flags = ROUTE_ETAG, .summary = "Disables an account",
	    .tags = "providers" },
	{ HTTP_POST, ADMIN "/providers/{id}/test", .scope = "providers:write",
	    .handler = provider_test, .body = &provider_test_table,
	    .status = 200, .flags = ROUTE_BODY_OPTIONAL,
	    .summary = "Asks the provider whether an account works",
	    .tags = "providers" },
};

const struct route *
api_routes(size_t *count_r)
{
	*count_r = NELEMS(routes);
	return routes;
}
