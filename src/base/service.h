/*
 * service.h - what the service manager is told
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The protocol of sd_notify(3): datagrams to the socket named by NOTIFY_SOCKET.
 * Without that variable nothing is sent.  A message that cannot be sent is
 * dropped: a service does not stop because its manager is deaf.
 */
#ifndef BELFRY_BASE_SERVICE_H
#define BELFRY_BASE_SERVICE_H

#include "base/compiler.h"

/* Started, or reloaded: requests are served. */
void service_ready(void);

/* The configuration is being read again; service_ready() ends this. */
void service_reloading(void);

/* The end has begun. */
void service_stopping(void);

/* One line for "systemctl status". */
void service_status(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
