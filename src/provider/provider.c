/*
 * provider.c - the table of provider kinds, and verdicts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/provider.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "net/guard.h"
#include "provider/fcm.h"
#include "provider/inapp.h"
#include "provider/maildir.h"
#include "provider/ntfy.h"
#include "provider/sendgrid.h"
#include "provider/simulator.h"
#include "provider/slack.h"
#include "provider/smtp.h"
#include "provider/teams.h"
#include "provider/telegram.h"
#include "provider/twilio.h"
#include "provider/verdict.h"
#include "provider/webhook.h"
#include "provider/webpush.h"
#include "provider/whatsapp.h"

static const struct provider_ops *const kinds[] = {
	&fcm_ops,
	&inapp_ops,
	&maildir_ops,
	&ntfy_ops,
	&sendgrid_ops,
	&slack_ops,
	&smtp_ops,
	&teams_ops,
	&telegram_ops,
	&twilio_ops,
	&webhook_ops,
	&webpush_ops,
	&whatsapp_ops,
#define X(number, NAME, name) &simulator_ops[(number) - 1],
#include "model/channel.def"
#undef X
};

const char *const verdict_names[] = {
#define X(number, NAME, name) [VERDICT_##NAME - 1] = name,
#include "provider/verdict.def"
#undef X
	[VERDICT_COUNT - 1] = NULL
};

static const char *allowed_networks = "", *platform_networks = "";
static const char *ca_base; /* NULL: nowhere */

void
provider_configure(const struct config *config)
{
	maildir_set_base(config->maildir_base);
	allowed_networks = config->network_allowed;
	platform_networks = config->network_allowed_platform;
	ca_base = config->network_ca_base;
}

int
provider_ca_file_check(const char *path, struct err *e)
{
	const char *below = path != NULL ? path_below(ca_base, path) : NULL;

	if (path == NULL || (below != NULL && below[0] != '\0'))
		return 0;
	return err_set(e, ERR_UNPROCESSABLE,
	    "setting \"ca_file\": not a path below \"%s\", which the "
	    "configuration key [network] ca_base allows",
	    ca_base != NULL ? ca_base : "");
}

const char *
provider_allowed_networks(void)
{
	return allowed_networks;
}

void
provider_blames_sender(const struct provider *p, struct verdict *v)
{
	if (p != NULL && p->owner.n != p->tenant.n &&
	    (v->class == VERDICT_BAD_CREDENTIAL ||
	        v->class == VERDICT_PROVIDER_BLOCKED))
		v->class = VERDICT_BAD_MESSAGE;
}

const char *
provider_platform_networks(void)
{
	return platform_networks;
}

bool
provider_may_lead(bool of_platform, const char *url)
{
	return guard_allows_url(allowed_networks, url) ||
	    (of_platform && guard_allows_url(platform_networks, url));
}

bool
provider_leads_for_platform(const struct provider *p)
{
	return tenant_is_platform(p->owner) && !p->ops->to_address;
}

const struct provider_ops *
provider_ops_find(const char *kind)
{
	size_t i;

	for (i = 0; i < NELEMS(kinds); i++)
		if (kinds[i] != NULL && strcmp(kinds[i]->kind, kind) == 0)
			return kinds[i];
	return NULL;
}

const struct provider_ops *const *
provider_ops_all(size_t *count_r)
{
	*count_r = NELEMS(kinds);
	return kinds;
}

const char *
verdict_name(enum verdict_class class)
{
	ensure(class < VERDICT_COUNT);
	return class == VERDICT_NONE ? "none" : verdict_names[class - 1];
}

enum verdict_class
verdict_parse(const char *name)
{
	int i;

	for (i = 0; verdict_names[i] != NULL; i++)
		if (strcmp(verdict_names[i], name) == 0)
			return (enum verdict_class)(i + 1);
	return VERDICT_NONE;
}

/* Copies what is printable ASCII, and UTF-8 when all of it is; the rest becomes a
 * blank.  Cuts at a character. */
static void
copy_printable(char *to, size_t size, const char *from)
{
	bool utf8 = text_is_utf8(from, strlen(from));
	size_t n = 0;
	unsigned char c;

	for (; (c = (unsigned char)*from) != '\0' && n + 1 < size; from++)
		to[n++] = c < ' ' || c == 0x7f || (c > 0x7f && !utf8) ? ' '
		                                                      : *from;
	if (utf8 && ((unsigned char)*from & 0xc0) == 0x80) {
		while (((unsigned char)to[n - 1] & 0xc0) == 0x80)
			n--;
		n--;
	}
	to[n] = '\0';
}

void
verdict_set(struct verdict *v, enum verdict_class class, const char *code,
    const char *text)
{
	*v = (struct verdict){ .class = class };
	copy_printable(v->code, sizeof(v->code), code);
	copy_printable(v->text, sizeof(v->text), text);
}
