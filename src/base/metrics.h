/*
 * metrics.h - counters in shared memory
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * metrics.def names every metric.  All processes of a host map one file in the
 * run directory; each counts in a slot of its own with relaxed atomics, so
 * there is no lock and no shared cache line on the hot path.  A slot whose
 * process is gone is taken over by the next one with all its counters, so
 * counters never go back.  Gauges count only while their process lives.
 * /metrics adds the slots up.
 */
#ifndef BELFRY_BASE_METRICS_H
#define BELFRY_BASE_METRICS_H

#include <stdint.h>

#include "base/compiler.h"

struct buf;
struct err;

/* One number for each row of the table. */
enum metric {
#define X(name, type, label, values, help) METRIC_##name,
#include "base/metrics.def"
#undef X
	METRIC_COUNT
};

/* Maps the file "metrics" in run_directory, made when it is missing or comes
 * from another version of the table.  Returns 0, or -1 with *e set.  Until it
 * is called, counting goes nowhere. */
int metrics_open(const char *run_directory, struct err *e) MUST_CHECK;

/* Takes a slot for the calling process, which keeps it until it ends; call
 * after fork.  Without it nothing is counted, but metrics_read() and
 * metrics_render() work. */
void metrics_attach(void);

/* Adds to a counter or a gauge, or sets a gauge.  "label" is an index into the
 * row's list of values, 0 for rows without label. */
void metrics_add(enum metric m, int label, int64_t n);
void metrics_set(enum metric m, int label, int64_t n);

/* Counts a duration into a histogram (buckets from 0.5 ms to 60 s). */
void metrics_observe_us(enum metric m, int label, int64_t us);

/* The sum over all slots; of a histogram, how many durations were counted. */
int64_t metrics_read(enum metric m, int label);

/* Writes everything as Prometheus text, version 0.0.4; nothing when the file is
 * not open. */
void metrics_render(struct buf *out);

#endif
