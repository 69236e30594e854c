/*
 * metrics.h - counters in shared memory
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * metrics.def names every metric.  All processes of a host map one file in the
 * run directory; each counts in a slot of its own with plain relaxed atomics, so
 * there is no lock and no shared cache line on the hot path.  A slot whose process
 * is gone is added to the "retired" slot before it is used again, so counters
 * never go back.  /metrics adds the slots up.
 */
#ifndef BELFRY_BASE_METRICS_H
#define BELFRY_BASE_METRICS_H

#include <stdint.h>

#include "base/compiler.h"

struct buf;
struct err;

/* One number a label value: METRIC_x is the first of its row's numbers. */
enum metric {
#define X(name, type, label, values, help) METRIC_##name,
#include "base/metrics.def"
#undef X
	METRIC_COUNT
};

/* Maps the file "metrics" in run_directory, made when it is missing.  Returns 0,
 * or -1 with *e set.  Until it is called, counting goes nowhere. */
int metrics_open(const char *run_directory, struct err *e) MUST_CHECK;

/* Takes a slot for the calling process; call after fork. */
void metrics_attach(void);

/* Adds to a counter, or sets a gauge.  "label" is an index into the row's list of
 * values, 0 for rows without label. */
void metrics_add(enum metric m, int label, int64_t n);
void metrics_set(enum metric m, int label, int64_t n);

/* Counts a duration into a histogram (buckets from 0.5 ms to 60 s). */
void metrics_observe_us(enum metric m, int label, int64_t us);

/* The sum over all slots. */
int64_t metrics_read(enum metric m, int label);

/* Writes everything as Prometheus text, version 0.0.4. */
void metrics_render(struct buf *out);

#endif
