/*
 * openapi.c - the OpenAPI 3.1 document, made of the route and field tables
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/openapi.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "web/field.h"
#include "web/http.h"
#include "web/js.h"
#include "web/problem.h"
#include "web/router.h"

/* json_pack() whose failure is a mistake in its format. */
#define PACK(...) must(json_pack(__VA_ARGS__))

static json_t *
must(json_t *json)
{
	if (json == NULL)
		panic("could not build the OpenAPI document");
	return json;
}

static const char *const error_codes[] = {
#define X(name, status, code, retry, title) code,
#include "base/err.def"
#undef X
};

static json_t *
words(const char *const *v, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_string(v[i]));
	return list;
}

static json_t *
field_codes(void)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < FIELD_ERR_COUNT; i++)
		json_array_append_new(list,
		    json_string(field_code_text((enum field_code)i)));
	return list;
}

static json_t *
problem_schema(void)
{
	json_t *fault = PACK("{s:s, s:[s,s], s:{s:{s:s,s:s}, s:{s:s,s:s}, "
			     "s:{s:s,s:o}, s:{s:s}}}",
	    "type", "object", "required", "code", "detail", "properties",
	    "pointer", "type", "string", "description",
	    "Where in the body, as a JSON pointer (RFC 6901).", "parameter",
	    "type", "string", "description", "Which parameter of the query.",
	    "code", "type", "string", "enum", field_codes(), "detail", "type",
	    "string");

	return PACK("{s:s, s:s, s:[s,s,s,s,s], s:{s:{s:s,s:s}, s:{s:s}, "
		    "s:{s:s}, s:{s:s}, s:{s:s,s:o}, s:{s:s}, s:{s:s,s:o}}}",
	    "type", "object", "description",
	    "What went wrong (RFC 9457); \"code\" is stable.", "required",
	    "type", "title", "status", "code", "request_id", "properties",
	    "type", "type", "string", "format", "uri", "title", "type",
	    "string", "status", "type", "integer", "detail", "type", "string",
	    "code", "type", "string", "enum",
	    words(error_codes, NELEMS(error_codes)), "request_id", "type",
	    "string", "errors", "type", "array", "items", fault);
}

static json_t *
components_new(void)
{
	return PACK("{s:{s:o}, s:{s:{s:s, s:{s:{s:{s:s}}}}}, "
		    "s:{s:{s:s,s:s,s:s}}}",
	    "schemas", "Problem", problem_schema(), "responses", "Problem",
	    "description", "An error.", "content", PROBLEM_TYPE, "schema",
	    "$ref", "#/components/schemas/Problem", "securitySchemes", "bearer",
	    "type", "http", "scheme", "bearer", "description",
	    "An API key (blf_...) or an access token.");
}

static void
add_parameter(json_t *list, const char *name, const char *in, bool required,
    json_t *schema)
{
	json_t *help = json_object_get(schema, "description");
	json_t *o = PACK("{s:s, s:s, s:b, s:o}", "name", name, "in", in,
	    "required", required, "schema", schema);

	if (help != NULL) {
		json_object_set(o, "description", help);
		json_object_del(schema, "description");
	}
	json_array_append_new(list, o);
}

static void
add_header(json_t *list, const char *name, const char *help)
{
	add_parameter(list, name, "header", false,
	    PACK("{s:s, s:s}", "type", "string", "description", help));
}

static json_t *
parameters(const struct route *r, json_t *schemas)
{
	json_t *list = json_array();
	const char *s, *end;
	const struct field *f;
	char name[64];
	size_t i;

	for (s = strchr(r->pattern, '{'); s != NULL; s = strchr(end, '{')) {
		end = strchr(s, '}');
		ensure(end != NULL);
		snprintf(name, sizeof(name), "%.*s", (int)(end - s - 1), s + 1);
		add_parameter(list, name, "path", true,
		    PACK("{s:s}", "type", "string"));
	}
	for (i = 0; r->query != NULL && i < r->query->count; i++) {
		f = &r->query->fields[i];
		add_parameter(list, field_name(f), "query",
		    (f->flags & FIELD_REQUIRED) != 0, field_schema(f, schemas));
	}
	if (r->flags & (ROUTE_IDEMPOTENT | ROUTE_ONCE))
		add_header(list, "Idempotency-Key",
		    "The same key and body answer the same response.");
	if (r->flags & ROUTE_ETAG && r->method != HTTP_GET)
		add_header(list, "If-Match",
		    "Go on only if the ETag is still this one.");
	return list;
}

static json_t *
success(const struct route *r, int status, json_t *schemas)
{
	const char *type = r->answer_type != NULL ? r->answer_type
						  : "application/json";
	json_t *o = PACK("{s:s}", "description", http_phrase(status));
	json_t *schema = json_object();

	if (r->answer != NULL) {
		json_decref(schema);
		schema = fields_schema(r->answer, schemas);
	}
	if (status == 302)
		json_object_set_new(o, "headers",
		    PACK("{s:{s:s, s:{s:s, s:s}}}", "Location", "description",
		        "Where it leads.", "schema", "type", "string", "format",
		        "uri"));
	else if (status != 204)
		json_object_set_new(o, "content",
		    PACK("{s:{s:O}}", type, "schema", schema));
	json_decref(schema);
	return o;
}

/* ---- What handlers read and write by themselves ------------------------------- */

static json_t *
content_schema(const struct route_content *c, json_t *schemas)
{
	if (c->table != NULL)
		return fields_schema(c->table, schemas);
	if (strcmp(c->type, PROBLEM_TYPE) == 0)
		return PACK("{s:s}", "$ref", "#/components/schemas/Problem");
	return strncmp(c->type, "text/", 5) == 0
	    ? PACK("{s:s}", "type", "string")
	    : json_object();
}

/* The content of what has this status; NULL when there is none. */
static json_t *
contents(const struct route *r, int status, json_t *schemas)
{
	const struct route_content *c = r->contents;
	json_t *types = NULL;

	for (; c != NULL && c->help != NULL; c++) {
		if (c->status != status || c->type == NULL)
			continue;
		if (types == NULL)
			types = json_object();
		json_object_set_new(types, c->type,
		    PACK("{s:o}", "schema", content_schema(c, schemas)));
	}
	return types;
}

static json_t *
raw_body(const struct route *r, json_t *schemas)
{
	json_t *types = contents(r, 0, schemas);

	return types == NULL ? NULL :
	    PACK("{s:s, s:b, s:o}", "description", r->contents[0].help,
	        "required", true, "content", types);
}

static void
add_answers(json_t *list, const struct route *r, json_t *schemas)
{
	const struct route_content *c = r->contents;
	char status[8];

	for (; c != NULL && c->help != NULL; c++) {
		if (c->status == 0)
			continue;
		snprintf(status, sizeof(status), "%d", c->status);
		json_object_set_new(list, status,
		    PACK("{s:s, s:o*}", "description", c->help, "content",
		        contents(r, c->status, schemas)));
	}
}

/* ---- The document -------------------------------------------------------------- */

static json_t *
responses(const struct route *r, json_t *schemas)
{
	json_t *list = json_object();
	char status[8];

	if (r->flags & ROUTE_OR_MADE) {
		json_object_set_new(list, "200", success(r, 200, schemas));
		json_object_set_new(list, "201", success(r, 201, schemas));
	} else {
		snprintf(status, sizeof(status), "%d", r->status);
		json_object_set_new(list, status,
		    success(r, r->status, schemas));
	}
	add_answers(list, r, schemas);
	json_object_set_new(list, "default",
	    PACK("{s:s}", "$ref", "#/components/responses/Problem"));
	return list;
}

static json_t *
tags(const char *s)
{
	json_t *list = json_array();
	size_t n;

	for (; s != NULL && *s != '\0'; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		json_array_append_new(list, json_stringn(s, n));
	}
	return list;
}

/* "get_api_v1_things_id": unique, since method and pattern are. */
static json_t *
operation_id(struct arena *a, const struct route *r)
{
	struct buf *b = buf_new(a, 512);
	const char *s;

	for (s = http_method_name(r->method); *s != '\0'; s++)
		buf_putc(b, (char)(*s | 0x20));
	for (s = r->pattern; *s != '\0'; s++)
		if (strchr("{}", *s) == NULL)
			buf_putc(b, strchr("/-.", *s) != NULL ? '_' : *s);
	return json_string(b->data);
}

static json_t *
operation(struct arena *a, const struct route *r, json_t *schemas)
{
	json_t *o = PACK("{s:s, s:o, s:o, s:o, s:o}", "summary", r->summary,
	    "operationId", operation_id(a, r), "tags", tags(r->tags),
	    "parameters", parameters(r, schemas), "responses",
	    responses(r, schemas));

	if (r->body != NULL)
		json_object_set_new(o, "requestBody",
		    PACK("{s:b, s:{s:{s:o}}}", "required",
		        (r->flags & ROUTE_BODY_OPTIONAL) == 0, "content",
		        r->flags & ROUTE_MERGE_PATCH
		            ? "application/merge-patch+json"
		            : "application/json",
		        "schema",
		        r->flags & ROUTE_MERGE_PATCH
		            ? PACK("{s:s}", "type", "object")
		            : fields_schema(r->body, schemas)));
	else if (r->contents != NULL && r->contents[0].status == 0)
		json_object_set_new(o, "requestBody", raw_body(r, schemas));
	/* An empty list says that no credentials are asked for. */
	json_object_set_new(o, "security",
	    r->scope != NULL ? PACK("[{s:[s]}]", "bearer", r->scope)
			     : json_array());
	return o;
}

static void
add_route(struct arena *a, json_t *paths, json_t *schemas,
    const struct route *r)
{
	json_t *path = json_object_get(paths, r->pattern);
	const char *s = http_method_name(r->method);
	char method[16];
	size_t i;

	if (path == NULL) {
		path = json_object();
		json_object_set_new(paths, r->pattern, path);
	}
	for (i = 0; s[i] != '\0'; i++)
		method[i] = (char)(s[i] | 0x20);
	method[i] = '\0';
	json_object_set_new(path, method, operation(a, r, schemas));
}

json_t *
openapi_make(struct arena *a, const struct openapi_info *info,
    const struct route *routes, size_t count)
{
	json_t *paths = json_object(), *components = components_new();
	json_t *schemas = json_object_get(components, "schemas");
	size_t i;

	for (i = 0; i < count; i++)
		add_route(a, paths, schemas, &routes[i]);
	return js_keep(a,
	    PACK("{s:s, s:{s:s,s:s,s:s,s:{s:s,s:s}}, s:[{s:s}], s:o, s:O*, s:o}",
	        "openapi", "3.1.0", "info", "title", info->title, "version",
	        info->version, "description", info->description, "license",
	        "name", info->license, "identifier", info->license, "servers",
	        "url", "/", "paths", paths, "webhooks", info->webhooks,
	        "components", components));
}
