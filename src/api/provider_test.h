/*
 * provider_test.h - /admin/providers/{id}/test
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_PROVIDER_TEST_H
#define BELFRY_API_PROVIDER_TEST_H

#include "web/router.h"

extern const struct field_table provider_test_table;

int provider_test(struct request *rq, struct response *rs, struct err *e);

#endif
