/*
 * variables.c - whether the data that a template needs are there
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A declared variable is a path, whose first name is looked up among the recipient's data
 * and then among those of the notification.  So the notification's have to be looked at
 * when one recipient or more have nothing of that name, and each recipient's that has.
 */
#include "notify/variables.h"

#include <string.h>

#include "base/arena.h"
#include "model/data_path.h"
#include "model/template.h"
#include "notify/accept.h"
#include "notify/send_request.h"
#include "web/field.h"

struct check {
	struct arena *a;
	const struct template_head *head;
	const struct template_variable *variable;
	struct field_errors *fe;
};

static void
look(void *arg, const char *pointer, const json_t *value)
{
	const struct check *c = arg;

	if (value == NULL && c->variable->required)
		field_errors_add(c->fe, pointer, FIELD_ERR_MISSING,
		    "the template \"%s\" needs this variable", c->head->key);
	if (value != NULL && !template_type_fits(c->variable->type, value))
		field_errors_add(c->fe, pointer, FIELD_ERR_WRONG_TYPE,
		    "the template \"%s\" expects this type here: %s",
		    c->head->key, template_type_name(c->variable->type));
}

static bool
has(const json_t *data, const char *name)
{
	const json_t *value = json_object_get(data, name);

	return value != NULL && !json_is_null(value);
}

static void
check_variable(struct check *c, const struct accept_params *p)
{
	const struct send_request *rq = p->request;
	const char *path = c->variable->path;
	const char *name = arena_strndup(c->a, path, data_path_root(path));
	bool list = json_is_array(json_object_get(p->body, "to"));
	size_t own = 0, i;
	const char *at;

	for (i = 0; i < rq->to_count; i++)
		own += has(rq->to[i].data, name);
	if (has(rq->data, name) || own == 0) {
		if (own < rq->to_count)
			data_path_visit(c->a, rq->data, path, "/data", look, c);
	}
	if (own == 0)
		return;
	for (i = 0; i < rq->to_count; i++) {
		at = list ? arena_printf(c->a, "/to/%zu/data", i) : "/to/data";
		if (has(rq->to[i].data, name) || !has(rq->data, name))
			data_path_visit(c->a, rq->to[i].data, path, at, look, c);
	}
}

void
variables_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe)
{
	struct check c = { .a = a, .head = p->template, .fe = fe };
	size_t i;

	for (i = 0; c.head != NULL && i < c.head->variable_count; i++) {
		c.variable = &c.head->variables[i];
		check_variable(&c, p);
	}
}
