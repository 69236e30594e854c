/*
 * client_credentials.h - access tokens for Belfry itself, from outside issuers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 6749 section 4.4: a client trades its id and secret for a token that other services
 * take.  This makes the request and reads the answer; who wants the token sends it.
 */
#ifndef BELFRY_AUTH_CLIENT_CREDENTIALS_H
#define BELFRY_AUTH_CLIENT_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct transfer_request;
struct transfer_result;

struct client_credentials {
	const char *token_url;
	const char *client_id, *client_secret;
	bool in_body; /* they go in the body, not as Authorization: Basic */
	const char *scope, *audience, *resource; /* or NULL */
	const char *ca_file; /* or NULL */
};

/* The request, all of it in "a". */
void client_credentials_request(struct arena *a,
    const struct client_credentials *cc, struct transfer_request *request_r);

/* The token of an answer in "a", and for how long it is good (0: it does not say); NULL
 * and why not. */
const char *client_credentials_read(struct arena *a,
    const struct transfer_result *res, int64_t *lifetime_ms_r,
    const char **why_r) MUST_CHECK;

#endif
