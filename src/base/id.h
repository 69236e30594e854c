/*
 * id.h - ids that cannot be mistaken for each other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_ID_H
#define BELFRY_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"

/* A tenant inside Belfry; outside it is named by its slug.  0 is no tenant. */
struct tenant_id {
	int64_t n;
};

/* Whose accounts at providers are given to others; nothing is sent for it. */
#define TENANT_PLATFORM ((struct tenant_id){ -1 })

static inline bool
tenant_is_platform(struct tenant_id tenant)
{
	return tenant.n == -1;
}

struct account_id {
	struct uuid u;
};

struct template_id {
	struct uuid u;
};

struct provider_id {
	struct uuid u;
};

struct notification_id {
	struct uuid u;
};

struct delivery_id {
	struct uuid u;
};

#endif
