/*
 * simulator.c - providers that only pretend, one for each channel
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The address decides what becomes of a message (simulator.def).  Everything else is as
 * with a real provider: rendering, attempts, time-outs, retries; but there is no network.
 */
#include "provider/simulator.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_judge.h"
#include "provider/verdict.h"

enum { STATUS_TAKEN = 200, STATUS_REFUSED = 400 };

static const struct field fields[] = {
	FIELD(struct simulator_settings, delay, DURATION,
	    .flags = FIELD_DEFAULT, .def = 50, .min = 0, .max = 60000,
	    .help = "How long an answer takes.", .example = "\"50ms\""),
};

static const struct field_table table = FIELD_TABLE("SimulatorSettings",
    struct simulator_settings, fields, "A provider that only pretends.");

static const struct fate {
	const char *digits, *word;
	enum verdict_class class;
	int64_t after_ms;
	enum transfer_outcome outcome;
	int64_t retry_after_s;
} fates[] = {
#define X(digits, word, class, after_ms, outcome, retry_after_s, what)         \
	{ digits, word, VERDICT_##class, after_ms, TRANSFER_##outcome,          \
		retry_after_s },
#include "provider/simulator.def"
};

static const struct report {
	const char *word;
	int64_t after_ms;
	enum hook_what what; /* HOOK_WHAT_COUNT: nothing, though it could be */
	enum verdict_class class;
	enum suppression_reason suppress;
} reports[] = {
#define REPORT(word, after_ms, what, class, suppress)                          \
	{ word, after_ms, HOOK_##what, VERDICT_##class,                         \
		SUPPRESSION_##suppress },
#include "provider/simulator.def"
};

/* The word that an address begins with: "bounced@example.org", "bounced-7". */
static bool
says(const char *address, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(address, word, n) == 0 &&
	    strchr("@+-.:_", address[n]) != NULL;
}

static const struct fate *
fate_of(const char *address)
{
	size_t i, n = strlen(address);

	for (i = 0; i < NELEMS(fates); i++) {
		if (address[0] == '+' && n > 3 &&
		    strcmp(address + n - 2, fates[i].digits) == 0)
			return &fates[i];
		if (address[0] != '+' && says(address, fates[i].word))
			return &fates[i];
	}
	return &fates[0];
}

static int
pretend(struct arena *a, const struct provider *p, const char *address,
    int attempt, struct transfer_request *request_r)
{
	const struct simulator_settings *s = p->settings;
	const struct fate *fate = fate_of(address);
	struct transfer_pretence *t = arena_object(a, struct transfer_pretence);
	enum verdict_class class = fate->class;

	if (strcmp(fate->word, "flaky") == 0 && attempt > 1)
		class = VERDICT_ACCEPTED;
	*t = (struct transfer_pretence){
		.after_ms = fate->after_ms != 0 ? fate->after_ms : s->delay,
		.outcome = fate->outcome,
		.status = class == VERDICT_ACCEPTED ? STATUS_TAKEN
		                                    : STATUS_REFUSED,
		.retry_after_s = fate->retry_after_s,
		.body = arena_printf(a, "%s %s", verdict_name(class),
		    fate->word),
	};
	*request_r = (struct transfer_request){ .kind = TRANSFER_PRETEND,
		.pretence = t };
	return 0;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	(void)e;
	return pretend(a, p, m->address, m->attempt, request_r);
}

static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	(void)e;
	return pretend(a, p, m->address != NULL ? m->address : "", 1, request_r);
}

/* Simulated time of receipts is the time that passes. */
static void
foresee(struct arena *a, const struct message *m, struct hook_events *events_r)
{
	const struct fate *fate = fate_of(m->address);
	const struct report *r;
	struct hook_event *ev;

	for (r = reports; r < reports + NELEMS(reports); r++) {
		if (strcmp(r->word, fate->word) != 0 ||
		    r->what == HOOK_WHAT_COUNT)
			continue;
		ev = hook_event_new(a, events_r);
		ev->what = r->what;
		ev->after_ms = r->after_ms;
		ev->notification = m->notification;
		ev->delivery = m->delivery;
		ev->class = r->class;
		ev->suppress = r->suppress;
		ev->code = "simulated";
		ev->text = r->what == HOOK_CLICKED ? "https://example.org/"
		                                   : "as the address says";
	}
}

static bool
is_reported(const char *word)
{
	size_t i;

	for (i = 0; i < NELEMS(reports); i++)
		if (strcmp(reports[i].word, word) == 0)
			return true;
	return false;
}

/* The answer names its class, and the word that decided. */
static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	size_t n = strcspn(res->body, " ");
	char class[32];

	(void)p;
	if (http_judge_silence(res, v_r))
		return;
	snprintf(class, sizeof(class), "%.*s", (int)n, res->body);
	verdict_set(v_r, verdict_parse(class), "simulated",
	    "as the address says");
	v_r->reported = res->body[n] != '\0' && is_reported(res->body + n + 1);
	http_judge_retry_after(res, v_r);
}

#define SIMULATOR(number, NAME, name)                                          \
	[number - 1] = {                                                       \
		.kind = "simulator-" name,                                     \
		.channel = CHANNEL_##NAME,                                     \
		.simulated = true,                                             \
		.summary = "Only pretends: the address decides the outcome.",  \
		.settings = &table,                                            \
		.build = build,                                                \
		.judge = judge,                                                \
		.probe = probe,                                                \
		.foresee = foresee,                                            \
	},

const struct provider_ops simulator_ops[CHANNEL_COUNT - 1] = {
#define X SIMULATOR
#include "model/channel.def"
#undef X
};
