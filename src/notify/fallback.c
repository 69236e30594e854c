/*
 * fallback.c - channels one after the other: push, then SMS unless it was read
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/fallback.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/template_draft.h"
#include "notify/send_request.h"
#include "web/field.h"

static void
check_step(struct arena *a, const struct send_step *step, size_t i,
    struct field_errors *fe)
{
	const struct field_table *t = &send_step_table;
	bool after = fields_given(t, step, &step->after);
	bool unless = fields_given(t, step, &step->unless);

	if (i == 0 && (after || unless))
		field_errors_add(fe, "/fallback/0", FIELD_ERR_NOT_ALLOWED,
		    "the first step goes at once: \"after\" and \"unless\" belong "
		    "to the steps that follow");
	else if (unless && !after)
		field_errors_add(fe, arena_printf(a, "/fallback/%zu/after", i),
		    FIELD_ERR_MISSING,
		    "\"unless\" is asked when \"after\" is over: it must be given");
}

void
fallback_check_steps(struct arena *a, const struct send_step *steps,
    size_t count, struct field_errors *fe)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		check_step(a, &steps[i], i, fe);
		for (k = 0; k < i; k++)
			if (steps[k].channel == steps[i].channel)
				break;
		if (k < i)
			field_errors_add(fe,
			    arena_printf(a, "/fallback/%zu/channel", i),
			    FIELD_ERR_NOT_ALLOWED,
			    "each channel stands once in the order");
	}
}

void
fallback_check(struct arena *a, const struct send_request *rq, unsigned parts,
    struct field_errors *fe)
{
	size_t i;

	fallback_check_steps(a, rq->fallback, rq->fallback_count, fe);
	if (rq->fallback_count > 0 && rq->channels_count > 0)
		field_errors_add(fe, "/fallback", FIELD_ERR_NOT_ALLOWED,
		    "either \"channels\" or \"fallback\" can be given");
	for (i = 0; i < rq->fallback_count; i++)
		if ((parts & 1u << (rq->fallback[i].channel + 1)) == 0)
			field_errors_add(fe,
			    arena_printf(a, "/fallback/%zu/channel", i),
			    FIELD_ERR_NOT_ALLOWED, "there is no part for %s",
			    channel_names[rq->fallback[i].channel]);
}

static struct fallback_step
step_of(const struct send_step *s)
{
	const struct field_table *t = &send_step_table;
	bool timed = fields_given(t, s, &s->after);

	return (struct fallback_step){
		.channel = (enum channel)(s->channel + 1),
		.after_ms = timed ? s->after : -1,
		.unless = fields_given(t, s, &s->unless)
		    ? (enum unless)s->unless
		    : timed ? UNLESS_DELIVERED
		            : UNLESS_SENT,
	};
}

int
fallback_read(struct arena *a, json_t *json, struct fallback *f_r, struct err *e)
{
	struct send_step steps[FALLBACK_STEPS_MAX];
	size_t i, count = json_array_size(json), before;
	struct field_errors fe;

	if (count < 2 || count > FALLBACK_STEPS_MAX)
		return err_set(e, ERR_INVALID,
		    "a fallback order is a list of 2 to %d steps",
		    FALLBACK_STEPS_MAX);
	field_errors_init(&fe, a);
	for (i = 0; i < count; i++) {
		before = fe.count;
		if (fields_read(a, json_array_get(json, i), &send_step_table,
		        &steps[i], &fe) == -1)
			field_errors_prefix(&fe, before,
			    arena_printf(a, "/fallback/%zu", i));
	}
	if (fe.count == 0)
		fallback_check_steps(a, steps, count, &fe);
	if (fe.count > 0)
		return err_set(e, ERR_INVALID, "%s: %s", fe.first->pointer,
		    fe.first->detail);
	f_r->count = count;
	for (i = 0; i < count; i++)
		f_r->steps[i] = step_of(&steps[i]);
	return 0;
}

int
fallback_check_draft(const struct template_draft *draft,
    struct template_faults *faults)
{
	struct fallback fallback;
	struct err e;

	if (draft->fallback == NULL ||
	    fallback_read(faults->a, draft->fallback, &fallback, &e) == 0)
		return 0;
	template_faults_add(faults, "fallback", arena_strdup(faults->a, e.text));
	return -1;
}

const char *
fallback_why(struct arena *a, enum channel before,
    const struct fallback_step *step)
{
	static const char *const words[] = { "sent", "delivered", "read" };
	const char *name = channel_name((int)before);

	if (step->after_ms < 0)
		return arena_printf(a, "it goes on when %s fails", name);
	return arena_printf(a, "it goes on when %s fails, or %g s after it unless "
	    "that one is %s", name, (double)step->after_ms / 1000,
	    words[step->unless]);
}
