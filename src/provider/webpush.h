/*
 * webpush.h - push messages to browsers (RFC 8030, 8291, 8292)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WEBPUSH_H
#define BELFRY_PROVIDER_WEBPUSH_H

#include "provider/provider.h"
#include "web/field.h"

struct webpush_settings {
	struct field_mask mask;
	const char *private_key;
	const char *subject;
	int64_t ttl;
	const char **hosts;
	size_t hosts_count;
	const char *ca_file;
	bool receipts;
};

extern const struct provider_ops webpush_ops;

#endif
