/*
 * bounce.c - mail that reports on a mail of ours
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is header fields, an empty line and a body; a body that is a multipart is
 * parts of the same form.  Line ends may be CRLF or LF.  Tokens are looked for in every
 * header field that is come across: the envelope's recipient stands in one that the mail
 * server adds (Delivered-To, X-Original-To), what was sent in a part.  Depth, parts and
 * tokens are bounded, and each byte is looked at once a level.
 */
#include "provider/bounce.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "model/bounce_token.h"

enum {
	DEPTH_MAX = 6,
	PARTS_MAX = 40,
	VALUE_MAX = 1000, /* bytes of a field that are kept */
	CODE_MAX = 31
};

struct span {
	const char *p, *end;
};

struct reading {
	struct arena *a;
	struct bounce *b;
	bool reported; /* a part says what happened */
	int parts;
};

/* ---- Lines and fields ------------------------------------------------------------- */

/* Takes the next line, without its end; false at the end of all. */
static bool
next_line(struct span *s, struct span *line_r)
{
	const char *stop;

	if (s->p == s->end)
		return false;
	stop = memchr(s->p, '\n', (size_t)(s->end - s->p));
	*line_r = (struct span){ s->p, stop != NULL ? stop : s->end };
	s->p = stop != NULL ? stop + 1 : s->end;
	if (line_r->end > line_r->p && line_r->end[-1] == '\r')
		line_r->end--;
	return true;
}

struct field_line {
	const char *name; /* ends in NUL; "" for what is no field */
	const char *value; /* unfolded, cut */
};

/* Takes the next field of a header; false behind the last one, the empty line taken. */
static bool
next_field(struct arena *a, struct span *s, struct field_line *f_r)
{
	struct buf *value = buf_new(a, VALUE_MAX);
	struct span line;
	const char *colon;

	if (!next_line(s, &line) || line.p == line.end)
		return false;
	colon = memchr(line.p, ':', (size_t)(line.end - line.p));
	f_r->name = "";
	if (colon != NULL && colon - line.p < 80) {
		f_r->name = arena_strndup(a, line.p, (size_t)(colon - line.p));
		line.p = colon + 1;
	}
	for (;;) {
		while (line.p < line.end && (*line.p == ' ' || *line.p == '\t'))
			line.p++;
		if (value->len + (size_t)(line.end - line.p) < VALUE_MAX &&
		    memchr(line.p, '\0', (size_t)(line.end - line.p)) == NULL)
			buf_add(value, line.p, (size_t)(line.end - line.p));
		if (s->p == s->end || (*s->p != ' ' && *s->p != '\t') ||
		    !next_line(s, &line))
			break;
		buf_putc(value, ' ');
	}
	f_r->value = value->data;
	return true;
}

static bool
is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static void
take_tokens(struct reading *r, const char *text)
{
	struct bounce_token unused;
	const char *token;
	size_t n;

	for (; *text != '\0'; text += n > 0 ? n : 1) {
		for (n = 0; is_token_char(text[n]); n++)
			;
		if (n != BOUNCE_TOKEN_CHARS ||
		    r->b->token_count == BOUNCE_TOKENS_MAX)
			continue;
		token = arena_strndup(r->a, text, n);
		if (bounce_token_read(r->a, token, &unused) == 0)
			r->b->tokens[r->b->token_count++] = token;
	}
}

/* The parameter of a Content-Type, or NULL. */
static const char *
parameter(struct arena *a, const char *value, const char *name)
{
	size_t n = strlen(name);
	const char *p = value, *end;

	while ((p = strchr(p, ';')) != NULL) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		end = *p == '"' ? strchr(p + 1, '"') : p + strcspn(p, "; \t");
		if (end == NULL)
			return NULL;
		p += *p == '"';
		return arena_strndup(a, p, (size_t)(end - p));
	}
	return NULL;
}

static bool
is_type(const char *value, const char *type)
{
	size_t n = strlen(type);

	return strncasecmp(value, type, n) == 0 &&
	    strchr("; \t", value[n]) != NULL;
}

/* ---- What is reported -------------------------------------------------------------- */

/* By Action and the class of Status; read from the top. */
static const struct rule {
	const char *action;
	const char *status; /* begins with */
	enum hook_what what;
	enum verdict_class class;
	enum suppression_reason suppress;
} rules[] = {
	{ "delivered", "", HOOK_DELIVERED, VERDICT_NONE, SUPPRESSION_NONE },
	{ "delayed", "", HOOK_DELAYED, VERDICT_NONE, SUPPRESSION_NONE },
	/* The same codes that are believed of a server's answer (smtp.def). */
	{ "failed", "5.1.1", HOOK_BOUNCED, VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE },
	{ "failed", "5.1.2", HOOK_BOUNCED, VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE },
	{ "failed", "5.1.3", HOOK_BOUNCED, VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE },
	{ "failed", "5.1.6", HOOK_BOUNCED, VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE },
	/* Full mailboxes, policy, content: this mail did not arrive. */
	{ "failed", "", HOOK_BOUNCED, VERDICT_BAD_MESSAGE, SUPPRESSION_NONE },
};

static void
set_event(struct reading *r, const char *action, const char *status,
    const char *text)
{
	struct hook_event *ev = &r->b->event;
	size_t i;

	for (i = 0; i < NELEMS(rules); i++) {
		if (strcasecmp(action, rules[i].action) != 0 ||
		    strncmp(status, rules[i].status,
		        strlen(rules[i].status)) != 0)
			continue;
		ev->what = rules[i].what;
		ev->class = rules[i].class;
		ev->suppress = rules[i].suppress;
		ev->code = arena_strndup(r->a, status, strnlen(status, CODE_MAX));
		ev->text = text;
		r->reported = true;
		return;
	}
}

/* message/delivery-status: fields of the message, then of each recipient.  A mail of ours
 * has one. */
static void
read_status(struct reading *r, struct span s)
{
	const char *action = "", *status = "", *text = "";
	struct field_line f;

	while (s.p < s.end) {
		if (!next_field(r->a, &s, &f))
			continue; /* an empty line: the next group */
		take_tokens(r, f.value);
		if (strcasecmp(f.name, "Action") == 0 && action[0] == '\0')
			action = f.value;
		else if (strcasecmp(f.name, "Status") == 0 && status[0] == '\0')
			status = f.value;
		else if (strcasecmp(f.name, "Diagnostic-Code") == 0 &&
		    text[0] == '\0')
			text = f.value;
	}
	set_event(r, arena_strndup(r->a, action, strcspn(action, " (")),
	    arena_strndup(r->a, status, strcspn(status, " (")), text);
}

/* message/feedback-report. */
static void
read_feedback(struct reading *r, struct span s)
{
	static const char *const complaints[] = { "abuse", "fraud", "virus",
		"miscategorized" };
	struct hook_event *ev = &r->b->event;
	struct field_line f;
	size_t i;

	while (next_field(r->a, &s, &f)) {
		take_tokens(r, f.value);
		if (strcasecmp(f.name, "Feedback-Type") != 0)
			continue;
		for (i = 0; i < NELEMS(complaints); i++)
			if (strcasecmp(f.value, complaints[i]) == 0) {
				ev->what = HOOK_COMPLAINED;
				ev->suppress = SUPPRESSION_COMPLAINT;
				r->reported = true;
			}
		if (strcasecmp(f.value, "opt-out") == 0) {
			ev->what = HOOK_UNSUBSCRIBED;
			ev->suppress = SUPPRESSION_UNSUBSCRIBE;
			ev->by_category = true;
			r->reported = true;
		}
		ev->code = arena_strndup(r->a, f.value,
		    strnlen(f.value, CODE_MAX));
	}
}

/* ---- The parts ----------------------------------------------------------------------- */

static void read_entity(struct reading *r, struct span s, int depth);

/* Is the line the boundary's delimiter?  *last_r: the one behind the last part. */
static bool
is_delimiter(struct span line, const char *boundary, bool *last_r)
{
	size_t n = strlen(boundary);

	if ((size_t)(line.end - line.p) < n + 2 ||
	    memcmp(line.p, "--", 2) != 0 ||
	    memcmp(line.p + 2, boundary, n) != 0)
		return false;
	line.p += n + 2;
	*last_r = line.end - line.p >= 2 && memcmp(line.p, "--", 2) == 0;
	if (*last_r)
		line.p += 2;
	while (line.p < line.end && (*line.p == ' ' || *line.p == '\t'))
		line.p++;
	return line.p == line.end;
}

static void
read_parts(struct reading *r, struct span s, const char *boundary, int depth)
{
	const char *from = NULL, *at = s.p;
	bool last = false;
	struct span line;

	while (!last && next_line(&s, &line)) {
		if (is_delimiter(line, boundary, &last)) {
			if (from != NULL)
				read_entity(r, (struct span){ from, at }, depth);
			from = s.p;
		}
		at = s.p;
	}
	if (!last && from != NULL) /* it was cut off */
		read_entity(r, (struct span){ from, s.end }, depth);
}

static void
read_body(struct reading *r, struct span s, const char *type, int depth)
{
	const char *boundary;
	struct field_line f;

	if (is_type(type, "message/delivery-status") ||
	    is_type(type, "message/global-delivery-status"))
		read_status(r, s);
	else if (is_type(type, "message/feedback-report"))
		read_feedback(r, s);
	else if (is_type(type, "message/rfc822") ||
	    is_type(type, "message/global") ||
	    is_type(type, "text/rfc822-headers") ||
	    is_type(type, "message/global-headers"))
		while (next_field(r->a, &s, &f))
			take_tokens(r, f.value);
	else if (strncasecmp(type, "multipart/", 10) == 0 &&
	    (boundary = parameter(r->a, type, "boundary")) != NULL &&
	    boundary[0] != '\0')
		read_parts(r, s, boundary, depth + 1);
}

static void
read_entity(struct reading *r, struct span s, int depth)
{
	const char *type = "";
	struct field_line f;

	if (depth > DEPTH_MAX || ++r->parts > PARTS_MAX)
		return;
	while (next_field(r->a, &s, &f)) {
		take_tokens(r, f.value);
		if (strcasecmp(f.name, "Content-Type") == 0)
			type = f.value;
	}
	read_body(r, s, type, depth);
}

int
bounce_read(struct arena *a, const char *mail, size_t n, struct bounce *b_r)
{
	struct bounce b = { .token_count = 0 };
	struct reading r = { .a = a, .b = &b };
	uint8_t hash[crypto_generichash_BYTES];

	read_entity(&r, (struct span){ mail, mail + n }, 0);
	if (!r.reported)
		return -1;
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)mail, n, NULL, 0);
	b.event.id = text_hex(a, hash, sizeof(hash));
	*b_r = b;
	return 0;
}
