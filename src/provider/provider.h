/*
 * provider.h - one file per provider, one table of operations each
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A provider turns a message into a transfer (build) and the answer into a verdict
 * (judge).  One that needs no network does both at once (deliver).  Settings are a
 * struct and its field table (web/field.h); fields marked secret are sealed in the
 * database and never shown.  A new provider is one file and one line in
 * provider.c's table.
 */
#ifndef BELFRY_PROVIDER_PROVIDER_H
#define BELFRY_PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"
#include "provider/hook.h"

struct account_limits;
struct arena;
struct config;
struct err;
struct field_table;
struct keyring;
struct settings_vault;
struct transfer_request;
struct transfer_result;
struct verdict;

/* An account at a provider, ready to use. */
struct provider {
	struct provider_id id;
	struct tenant_id tenant;
	const char *name; /* unique in its tenant */
	const struct provider_ops *ops;
	/* Whose limits, health and tokens count: its own, or those of the account of the
	 * platform that its tenant has leave to use. */
	struct tenant_id owner;
	struct provider_id account;
	int version; /* of the account: counts up with each change */
	bool enabled;
	int priority; /* the lowest goes first */
	int weight;
	const void *settings; /* the struct that ops->settings describes; NULL while its
	                       * secrets are sealed */
	struct settings_vault *vault; /* where they are (settings_hold); or NULL */
	const struct account_limits *limits; /* NULL: not known here */
	bool has_budget; /* of deliveries a second or a day, its own or its tenant's */
	int tenant_rate; /* deliveries a second of its tenant; 0: any number */
};

/* Which files go with the messages of a provider. */
enum provider_carries {
	CARRIES_NOTHING,
	CARRIES_FILES, /* all attachments */
	CARRIES_NAMED /* those that the message itself names */
};

/* A file that goes with it; it lies in a file of ours while the message is sent. */
struct attachment {
	const char *name;
	const char *type;
	const char *content_id; /* by which an HTML shows it, or NULL */
	int fd;
	int64_t from;
	size_t bytes;
};

/* A rendered message for one recipient. */
struct message {
	struct tenant_id tenant;
	struct notification_id notification;
	struct delivery_id delivery;
	int attempt; /* from 1 */
	int64_t created_ms; /* of the delivery's id: the same at each attempt */
	const char *address;
	const char *name; /* of the recipient, or NULL */
	const char *locale;
	const char *traceparent; /* or NULL */
	const char *token; /* of access, where token_request fetches one */
	const char *category; /* of the notification, or "" */
	bool in_session; /* the recipient wrote to the account within a day */
	const char *template_key; /* or "" */
	const char *tenant_slug;
	bool shared; /* by an account of the platform: what is reported must say whose it is */
	const char *from; /* the sender that it names, or NULL: the account's */
	const struct keyring *ring; /* for tokens and links in it, or NULL */
	const char *unsubscribe_url; /* of what can be unsubscribed from, or NULL */
	const char *public_url; /* where the world reaches Belfry, or NULL */
	const char *hook_path; /* of the account's hook, behind that */
	const struct attachment *attachments;
	size_t attachment_count;
	const char **references; /* to each, of providers that take files apart from
	                          * messages; NULL where it is not known */
	const char *const *media; /* URLs that go with a text message */
	size_t media_count;
	/* Parts; NULL where the channel or the template has none. */
	const char *subject;
	const char *html;
	const char *text;
	const char *json; /* push, in-app, WhatsApp, webhook: the rendered part */
};

struct provider_ops {
	const char *kind;
	enum channel channel;
	const char *summary; /* a line for manuals */
	bool simulated; /* nothing leaves the host */
	enum provider_carries carries;
	bool to_address; /* the recipient's address says where requests go */
	bool reports; /* receipts come for what it took; else its word is the last */
	const struct field_table *settings;
	int concurrency; /* deliveries at once by default; 0: spooler.account_concurrency */

	/* Of a channel with addresses of several forms: whether this one is for it.
	 * NULL: every one is. */
	bool (*takes)(const char *address);

	/* Checks settings beyond their fields; may be NULL. */
	int (*check)(const void *settings, struct err *e);

	/* Of settings that passed the check: makes what is costly once for all messages
	 * that go while they are open, in "a"; may be NULL. */
	int (*prepare)(struct arena *a, void *settings, struct err *e);

	/* Of providers whose requests carry an access token, which is fetched before
	 * and shared by many.  All of the request lives in "a".  token_read gives the
	 * token (in "a") and for how long it is good, or NULL and why. */
	int (*token_request)(struct arena *a, const struct provider *p,
	    struct transfer_request *request_r, struct err *e);
	const char *(*token_read)(struct arena *a,
	    const struct transfer_result *res, int64_t *lifetime_ms_r,
	    struct verdict *v_r);

	/* Has the message another form for people who wrote to the account within a day?
	 * Only then m->in_session is looked up.  NULL: never. */
	bool (*has_session)(struct arena *a, const struct message *m);

	/* Of CARRIES_NAMED, whose provider takes files apart from messages and gives
	 * references to them.  names: the next attachment that the message names and that
	 * has no reference yet, be there one or not; -1: there is none.  upload: the request
	 * that gives the provider the n-th.  upload_read: the reference of an answer, in
	 * "a", or NULL and why. */
	int (*names)(struct arena *a, const struct message *m);
	int (*upload)(struct arena *a, const struct provider *p,
	    const struct message *m, size_t n,
	    struct transfer_request *request_r, struct err *e);
	const char *(*upload_read)(struct arena *a, const struct provider *p,
	    const struct transfer_result *res, struct verdict *v_r);

	/* Fills the request; what it points to lives in "a" until the transfer is
	 * done.  -1 means that this message can never be sent (the text says why). */
	int (*build)(struct arena *a, const struct provider *p,
	    const struct message *m, struct transfer_request *request_r,
	    struct err *e);

	/* Pure: judges an answer. */
	void (*judge)(const struct provider *p, const struct transfer_result *res,
	    struct verdict *v_r);

	/* A request that does no harm and whose answer, by judge, tells whether the
	 * account can be used; m->address may be NULL, there are no parts.  NULL: there
	 * is nothing to ask. */
	int (*probe)(struct arena *a, const struct provider *p,
	    const struct message *m, struct transfer_request *request_r,
	    struct err *e);

	bool probe_is_whole; /* who refuses it as a bad message refuses others, too */

	/* The setting by which receive() names another account of the kind; or NULL. */
	const char *sender;

	/* Proves that a request is the account's own and reads what it reports
	 * (provider/hook.h).  NULL: nothing is reported. */
	enum hook_verdict (*receive)(struct arena *a, const struct provider *p,
	    const struct hook_request *rq, struct hook_events *events_r);

	/* Of simulators: what will be reported of a message that was taken.  It is put into
	 * the inbox of receipts.  NULL: nothing. */
	void (*foresee)(struct arena *a, const struct message *m,
	    struct hook_events *events_r);

	/* Instead of build and judge: delivers on the spot, without waiting for
	 * anything but the local disk. */
	void (*deliver)(struct arena *a, const struct provider *p,
	    const struct message *m, struct verdict *v_r);
};

/* Of an answer that blames the sender: whose own account it is must mend it.  Where a
 * tenant uses an account of the platform it may have chosen the sender, and nobody else is
 * to suffer for that: then it is the message's fault. */
void provider_blames_sender(const struct provider *p, struct verdict *v);

/* Tells the providers what the operator allows them; once, after the configuration has
 * been read, by every program that checks settings or sends. */
void provider_configure(const struct config *config);

/* The networks that everybody may lead to beside the open Internet, and the further ones of
 * the platform (net/guard.h). */
const char *provider_allowed_networks(void);
const char *provider_platform_networks(void);

/* May an account lead to this URL or host, as far as the text tells? */
bool provider_may_lead(bool of_platform, const char *url);

/* Did the platform name the host that requests of the account go to?  Also when it is a
 * tenant that has leave to use it. */
bool provider_leads_for_platform(const struct provider *p);

/* May an account name this file of certificates, or NULL: is it below [network] ca_base? */
int provider_ca_file_check(const char *path, struct err *e) MUST_CHECK;

/* The table of kinds; NULL when there is no such kind. */
const struct provider_ops *provider_ops_find(const char *kind);
const struct provider_ops *const *provider_ops_all(size_t *count_r);

#endif
