/*
 * smtp.h - e-mail over SMTP
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_SMTP_H
#define BELFRY_PROVIDER_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider/dkim.h"
#include "provider/provider.h"
#include "web/field.h"

enum smtp_tls { SMTP_TLS_STARTTLS, SMTP_TLS_TLS, SMTP_TLS_NONE };

struct smtp_settings {
	struct field_mask mask;
	const char *host;
	int64_t port; /* 0: 587, 465 with tls, 25 with none */
	enum smtp_tls tls;
	const char *username;
	const char *password;
	const char *from;
	const char *from_name;
	const char *reply_to;
	const char *helo;
	const char *ca_file;
	const char **senders;
	size_t senders_count;
	const char *dkim_domain;
	const char *dkim_selector;
	const char *dkim_key;
	const char *dkim_selector2;
	const char *dkim_key2;
	const char *bounce_address;
	bool dsn;

	/* No settings: the keys that sign the account's mails, read.  There are none while
	 * it is only checked. */
	struct dkim_key keys[DKIM_KEYS];
	size_t keys_count;
};

extern const struct provider_ops smtp_ops;

#endif
