/*
 * raw_bodies.c - bodies and answers of routes that read and write them by themselves
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/raw_bodies.h"

#include "web/field.h"
#include "web/problem.h"

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"
#define HTML "text/html"
#define END { .help = NULL }

/* ---- POST /oauth/token ------------------------------------------------------------ */

struct token_request {
	struct field_mask mask;
	int grant_type;
	const char *client_id, *client_secret, *scope;
};

struct token_answer {
	struct field_mask mask;
	const char *access_token;
	int token_type;
	int64_t expires_in;
	const char *scope;
};

struct token_fault {
	struct field_mask mask;
	int error;
	const char *error_description;
};

static const char *const grant_types[] = { "client_credentials", NULL };
static const char *const token_types[] = { "Bearer", NULL };
static const char *const oauth_errors[] = { "invalid_request", "invalid_client",
	"invalid_scope", "unsupported_grant_type", NULL };

static const struct field token_request_fields[] = {
	FIELD(struct token_request, grant_type, ENUM, .words = grant_types,
	    .flags = FIELD_REQUIRED, .help = "What is traded for the token."),
	FIELD(struct token_request, client_id, TEXT,
	    .help = "The id of an API key: the 26 characters behind \"blf_\"."),
	FIELD(struct token_request, client_secret, TEXT, .flags = FIELD_SECRET,
	    .help = "What follows the id in the key, or the whole key."),
	FIELD(struct token_request, scope, TEXT,
	    .example = "\"notifications:send\"",
	    .help = "Some of the account's scopes, with blanks between them; "
	            "absent: all."),
};
static const struct field token_answer_fields[] = {
	FIELD(struct token_answer, access_token, TEXT, .flags = FIELD_REQUIRED,
	    .help = "The token, a JWT (RFC 9068)."),
	FIELD(struct token_answer, token_type, ENUM, .words = token_types,
	    .flags = FIELD_REQUIRED, .help = "How it is shown."),
	FIELD(struct token_answer, expires_in, INT, .flags = FIELD_REQUIRED,
	    .help = "For how many seconds it is good.", .example = "900"),
	FIELD(struct token_answer, scope, TEXT, .flags = FIELD_REQUIRED,
	    .help = "What it allows."),
};
static const struct field token_fault_fields[] = {
	FIELD(struct token_fault, error, ENUM, .words = oauth_errors,
	    .flags = FIELD_REQUIRED, .help = "What is wrong."),
	FIELD(struct token_fault, error_description, TEXT,
	    .help = "The same in words."),
};

static const struct field_table token_request_table = FIELD_TABLE_OPEN(
    "TokenRequest", struct token_request, token_request_fields,
    "A request for an access token (RFC 6749 section 4.4).");
const struct field_table oauth_answer_table = FIELD_TABLE("TokenAnswer",
    struct token_answer, token_answer_fields, "An access token.");
static const struct field_table token_fault_table = FIELD_TABLE("TokenFault",
    struct token_fault, token_fault_fields,
    "Why there is none (RFC 6749 section 5.2).");

const struct route_content oauth_contents[] = {
	{ 0, FORM, &token_request_table,
	    "client_id and client_secret may stand in Authorization: Basic "
	    "instead." },
	{ 400, JSON, &token_fault_table,
	    "invalid_request, invalid_scope or unsupported_grant_type." },
	{ 401, JSON, &token_fault_table,
	    "invalid_client: the API key is not valid." },
	{ 404, PROBLEM_TYPE, NULL, "This installation makes no tokens." },
	{ 429, PROBLEM_TYPE, NULL,
	    "Too fast, or too many wrong credentials; Retry-After says when "
	    "again." },
	END
};

/* ---- /hooks/{tenant}/{provider_id} -------------------------------------------------- */

#define NOT_PROVEN                                                             \
	{ 403, PROBLEM_TYPE, NULL,                                             \
	    "Not proven to come from the provider.  Tenants and accounts that " \
	    "do not exist are answered alike." }

const struct route_content hook_contents[] = {
	{ 0, JSON, NULL,
	    "What the provider writes, signed in its way: JSON of SendGrid, "
	    "WhatsApp and Pub/Sub, forms of Twilio." },
	{ 0, FORM, NULL, "" },
	{ 204, NULL, NULL, "It is written down and applied soon." },
	NOT_PROVEN,
	{ 503, PROBLEM_TYPE, NULL,
	    "It could not be written down, or the keys that prove it are not at "
	    "hand; the provider is to come again." },
	END
};

const struct route_content hook_challenge_contents[] = {
	{ 200, "text/plain", NULL, "What proves that we are who we say." },
	NOT_PROVEN, END
};

/* ---- /u/{token} ---------------------------------------------------------------------- */

struct unsubscribe_form {
	struct field_mask mask;
	int one_click, action;
};

static const char *const one_click[] = { "One-Click", NULL };
static const char *const actions[] = { "unsubscribe", "resubscribe", NULL };

static const struct field unsubscribe_fields[] = {
	FIELD(struct unsubscribe_form, one_click, ENUM, .words = one_click,
	    .as = "List-Unsubscribe", .help = "As RFC 8058 has it."),
	FIELD(struct unsubscribe_form, action, ENUM, .words = actions,
	    .help = "The same by the buttons of the page, or back."),
};
static const struct field_table unsubscribe_table = FIELD_TABLE_OPEN(
    "Unsubscribe", struct unsubscribe_form, unsubscribe_fields,
    "One of the two must be there; others are ignored.");

#define NO_SUCH_LINK                                                           \
	{ 404, HTML, NULL,                                                     \
	    "The link is none of this installation, or its tenant is gone: a " \
	    "page that says so." }

const struct route_content unsubscribe_show_contents[] = {
	{ 200, HTML, NULL, "The page with what is subscribed, and a button." },
	NO_SUCH_LINK, END
};

const struct route_content unsubscribe_contents[] = {
	{ 0, FORM, &unsubscribe_table, "The token alone is the right to do it." },
	{ 0, "multipart/form-data", &unsubscribe_table, "" },
	{ 200, HTML, NULL, "It is done, also when it was before." },
	{ 400, PROBLEM_TYPE, NULL, "The form says nothing that is known." },
	NO_SUCH_LINK,
	{ 429, PROBLEM_TYPE, NULL,
	    "It was taken back too often; unsubscribing is never too often." },
	END
};

/* ---- /t/... --------------------------------------------------------------------------- */

struct told {
	struct field_mask mask;
	int event;
	int64_t at;
};

static const char *const events[] = { "delivered", "opened", "read", "clicked",
	NULL };

static const struct field told_fields[] = {
	FIELD(struct told, event, ENUM, .words = events,
	    .flags = FIELD_REQUIRED, .help = "What happened to the message."),
	FIELD(struct told, at, TIME, .help = "When; now by default."),
};
static const struct field_table told_table = FIELD_TABLE_OPEN("Told",
    struct told, told_fields, "What an app tells of a push message.");

#define UNKNOWN_LINK                                                           \
	{ 404, PROBLEM_TYPE, NULL, "The link is none of this installation." }

const struct route_content link_contents[] = { UNKNOWN_LINK, END };

const struct route_content receipt_contents[] = {
	{ 0, JSON, &told_table, "The link alone is the right to do it." },
	{ 204, NULL, NULL, "It is written down and applied soon." },
	{ 400, PROBLEM_TYPE, NULL,
	    "It is no JSON, or has more than two levels." },
	{ 422, PROBLEM_TYPE, NULL,
	    "Not one of these events, or no time: \"errors\" says where." },
	UNKNOWN_LINK,
	{ 429, PROBLEM_TYPE, NULL, "The link was used too often." },
	END
};
