/*
 * config_check.h - keys of the configuration that must fit each other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_CONFIG_CHECK_H
#define BELFRY_BASE_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct config;

struct config_check {
	size_t offset; /* in struct config */
	size_t other_offset;
	bool (*holds)(const struct config *config);
	const char *fault; /* what is wrong; the mend */
};

const struct config_check *config_checks(size_t *count_r);

#endif
