/*
 * command.c - every command of belfryctl
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/command.h"

#include "ctl/grammar.h"

#define END { .name = NULL }

static const struct ctl_option everywhere[] = {
	{ 'c', "config", "FILE", "The configuration file." },
	{ 't', "tenant", "SLUG",
	    "The tenant to work on; BELFRY_TENANT, or the only one there is by "
	    "default." },
	{ 'j', "json", NULL, "Print JSON." },
	{ 'h', "help", NULL, "Print help on the command." },
	{ 'V', "version", NULL, "Print the version." },
	END
};

static const struct ctl_option help_options[] = {
	{ 0, "mdoc", NULL, "Print belfryctl(8)." },
	END
};

static const struct ctl_option config_options[] = {
	{ 'd', "defaults", NULL,
	    "Print a file with every key, its default and what it is for." },
	{ 'n', "changed", NULL, "Print only what is not at its default." },
	END
};

static const struct ctl_option seed_options[] = {
	{ 0, "templates", "DIR",
	    "Where the templates stand, each in a directory of its own." },
	END
};

static const struct ctl_option tenant_options[] = {
	{ 0, "name", "NAME", "What people call it; the slug by default." },
	{ 0, "locale", "LOCALE", "The default locale; \"en\" by default." },
	{ 0, "time-zone", "ZONE", "The time zone; \"UTC\" by default." },
	{ 0, "weight", "N",
	    "Its share when there is more work than can be done; 1 by default." },
	{ 0, "test", "yes|no",
	    "Whether nothing but simulators sends for it; \"no\" by default." },
	END
};

static const struct ctl_option tenant_remove_options[] = {
	{ 0, "yes", NULL, "Really do it." },
	END
};

static const struct ctl_option tenant_set_options[] = {
	{ 0, "set", "KEY=VALUE",
	    "A setting. May stand more than once. \"-\" as value: read a line "
	    "from standard input." },
	{ 0, "unset", "KEY", "Put a setting back to its default." },
	{ 0, "name", "NAME", "What people call it." },
	{ 0, "locale", "LOCALE", "The default locale." },
	{ 0, "time-zone", "ZONE", "The time zone." },
	{ 0, "weight", "N",
	    "Its share when there is more work than can be done." },
	{ 0, "test", "yes|no",
	    "Whether nothing but simulators sends for it." },
	END
};

static const struct ctl_option key_add_options[] = {
	{ 0, "scope", "SCOPE", "What the account may do. May stand more than once." },
	{ 0, "expires", "TIME",
	    "How long the key works, as in \"90d\", or until when; for ever by default." },
	{ 0, "test", NULL,
	    "A test key: simulators alone send what it asks for." },
	END
};

static const struct ctl_option keys_rotate_options[] = {
	{ 0, "signing", NULL,
	    "Let the next signing key sign, and make another next one." },
	{ 0, "alg", "ALG", "Of that one: EdDSA, the default, or RS256." },
	{ 0, "now", NULL,
	    "Do not wait until the next one was published for a while, and refuse "
	    "all tokens that were made until now." },
	{ 0, NULL, NULL, NULL },
};

static const struct ctl_option key_rotate_options[] = {
	{ 0, "overlap", "DURATION",
	    "How long the old keys go on working; 24h by default." },
	{ 0, "expires", "TIME",
	    "How long the new key works, as in \"90d\", or until when; for ever by "
	    "default." },
	END
};

static const struct ctl_option push_options[] = {
	{ 0, "draft", NULL,
	    "Keep the version that is in use; the new one is only stored." },
	END
};

static const struct ctl_option pull_options[] = {
	{ 0, "number", "N", "This version; the one in use by default." },
	END
};

static const struct ctl_option preview_options[] = {
	{ 0, "locale", "LOCALE", "The recipient's locale." },
	{ 0, "data", "FILE",
	    "The data as JSON (\"-\": standard input); its sample by default." },
	{ 0, "part", "PART", "Only this part, as it is." },
	{ 0, "number", "N", "This version; the one in use by default." },
	END
};

static const struct ctl_option eval_options[] = {
	{ 0, "no-extras", NULL, "Know the helpers of Handlebars only." },
	END
};

static const struct ctl_option lint_options[] = {
	{ 0, "strict", NULL, "Fail for warnings, too." },
	END
};

static const struct ctl_option render_options[] = {
	{ 0, "locale", "LOCALE", "The recipient's locale." },
	{ 0, "data", "FILE",
	    "The data as JSON (\"-\": standard input); sample.json by default." },
	{ 0, "part", "PART", "Only this part, as it is." },
	{ 0, "out", "DIR", "Write a file for each part into this directory." },
	END
};

static const struct ctl_option test_options[] = {
	{ 0, "update", NULL,
	    "Write what is rendered to expected/ instead of comparing it." },
	END
};

static const struct ctl_option provider_add_options[] = {
	{ 0, "kind", "KIND",
	    "What \"provider kinds\" lists; with KIND it explains the settings." },
	{ 0, "set", "KEY=VALUE",
	    "A setting. May stand more than once. \"-\" as value: read a line "
	    "from standard input." },
	{ 0, "priority", "N", "The lowest goes first; 10 by default." },
	{ 0, "weight", "N", "Its share among accounts of the same priority; 1 by default." },
	{ 0, "limit", "KEY=VALUE",
	    "How much it is given: concurrency, rate, rate_per, per_day, warmup_start, "
	    "warmup_days. May stand more than once." },
	{ 0, "disabled", NULL, "Do not use it yet." },
	END
};

static const struct ctl_option provider_set_options[] = {
	{ 0, "set", "KEY=VALUE",
	    "A setting. May stand more than once. \"-\" as value: read a line "
	    "from standard input." },
	{ 0, "unset", "KEY", "Put a setting back to its default." },
	{ 0, "priority", "N", "The lowest goes first." },
	{ 0, "weight", "N", "Its share among accounts of the same priority." },
	{ 0, "limit", "KEY=VALUE",
	    "How much it is given, as for \"provider add\"; \"KEY=\" takes a limit away. "
	    "May stand more than once." },
	END
};

static const struct ctl_option provider_share_options[] = {
	{ 0, "to", "TENANT", "To this tenant." },
	{ 0, "all", NULL, "To every tenant that there is or will be." },
	{ 0, "allow", "SENDER",
	    "A domain or an address that it may send as; \"{tenant}\" stands for its slug. "
	    "May stand more than once." },
	{ 0, "as", "NAME", "What the tenant sees it as; the account's name by default." },
	END
};

static const struct ctl_option provider_unshare_options[] = {
	{ 0, "from", "TENANT", "From this tenant." },
	{ 0, "all", NULL, "From every tenant." },
	END
};

static const struct ctl_option provider_test_options[] = {
	{ 0, "to", "ADDRESS", "An address to ask about." },
	END
};

static const struct ctl_option send_options[] = {
	{ 0, "template", "KEY", "The template." },
	{ 0, "to", "ADDRESS|USER",
	    "A mail address, a phone number with its plus, or the id of a stored "
	    "recipient. May stand more than once." },
	{ 0, "data", "JSON",
	    "The data for the template; @FILE reads them from a file, \"-\" from "
	    "standard input." },
	{ 0, "channel", "CHANNEL",
	    "Only this channel. May stand more than once." },
	{ 0, "locale", "LOCALE", "The locale." },
	{ 0, "account", "NAME",
	    "The service account it belongs to; \"service\" by default." },
	{ 0, "idempotency-key", "KEY", "Do nothing when the key was used before." },
	END
};

static const struct ctl_option receipt_options[] = {
	{ 0, "class", "CLASS",
	    "Of what failed: \"retry\" lets the next account try, "
	    "\"bad_recipient\" ends it." },
	{ 0, "code", "CODE", "The provider's code." },
	{ 0, "text", "TEXT", "The provider's words." },
	END
};

static const struct ctl_option template_defaults_options[] = {
	{ 0, "fallback", "JSON",
	    "The order of channels, as in a request; \"none\" takes it away." },
	{ 0, "quiet-exempt", "YES|NO", "Whether they go out in quiet hours too." },
	END
};

#define DEAD_FILTER                                                            \
	{ 0, "channel", "CHANNEL", "Only this channel." },                     \
	{ 0, "provider", "NAME", "Only those that this account tried last." }, \
	{ 0, "class", "CLASS", "Only those whose last attempt had this class." }, \
	{ 0, "template", "KEY", "Only those of this template." },              \
	{ 0, "since", "TIME",                                                  \
	    "Only those that died at this time or later: RFC 3339, a date (its " \
	    "midnight in UTC), or how long ago, as in \"7d\"." },              \
	{ 0, "until", "TIME", "Only those that died before this time." }

static const struct ctl_option queue_options[] = {
	{ 0, "by", "WHAT", "Put together by lane, tenant or provider." },
	END
};

static const struct ctl_option top_options[] = {
	{ 'n', "interval", "SECONDS", "How often; every 2 seconds by default." },
	{ 0, "once", NULL, "Show it once." },
	END
};

static const struct ctl_option drain_options[] = {
	{ 0, "all", NULL, "All spoolers of all hosts." },
	END
};

static const struct ctl_option reconcile_options[] = {
	{ 0, "dry-run", NULL, "Say what would be repaired, and repair nothing." },
	END
};

static const struct ctl_option hold_options[] = {
	{ 0, "reason", "TEXT", "Why; others are shown it." },
	END
};

#define AUDIT_CHOICE                                                           \
	{ 0, "installation", NULL,                                             \
	    "What belongs to no tenant: spoolers, holds." },                   \
	{ 0, "since", "TIME",                                                  \
	    "Only from this time on: RFC 3339, a date (its midnight in UTC), " \
	    "or how long ago, as in \"7d\"." },                                \
	{ 0, "until", "TIME", "Only before this time." }

static const struct ctl_option audit_list_options[] = {
	AUDIT_CHOICE,
	{ 0, "principal", "WHO", "Only of this one, written as it is shown." },
	{ 0, "action", "ACTION", "Only this, such as provider.set." },
	{ 0, "object", "OBJECT", "Only of this object." },
	{ 0, "limit", "N", "How many, the newest first; 50 by default." },
	END
};

static const struct ctl_option audit_export_options[] = {
	AUDIT_CHOICE,
	END
};

static const struct ctl_option privacy_options[] = {
	{ 0, "address", "ADDRESS", "The person's address, also without an id." },
	END
};

static const struct ctl_option privacy_erase_options[] = {
	{ 0, "address", "ADDRESS", "The person's address, also without an id." },
	{ 0, "yes", NULL, "Really do it." },
	END
};

static const struct ctl_option legal_hold_options[] = {
	{ 0, "reason", "TEXT", "Why; others are shown it. It must be given." },
	{ 0, "all", NULL, "The whole tenant." },
	END
};

static const struct ctl_option dead_options[] = {
	{ 0, "limit", "N", "How many, the newest first; 50 by default." },
	DEAD_FILTER,
	END
};

static const struct ctl_option dead_act_options[] = {
	DEAD_FILTER,
	{ 0, "all", NULL, "All of them." },
	END
};

static const struct ctl_option webhook_add_options[] = {
	{ 0, "event", "TYPE",
	    "What it is told of; of everything by default. May stand more than once." },
	{ 0, "description", "TEXT", "What it is for." },
	{ 0, "rate", "N", "How many messages a second it gets at most." },
	{ 0, "ordered", "KEY",
	    "What it gets one after the other: notification, or metadata.KEY." },
	{ 0, "signature", "v1|v1a",
	    "Sign by a secret or by a key pair, whose public key is printed; as the "
	    "tenant's settings have it by default, else v1." },
	END
};

static const struct ctl_option webhook_set_options[] = {
	{ 0, "url", "URL", "Where messages are posted." },
	{ 0, "event", "TYPE",
	    "What it is told of, instead; all for everything. May stand more than "
	    "once." },
	{ 0, "description", "TEXT", "What it is for." },
	{ 0, "rate", "N",
	    "How many messages a second it gets at most; none for any number." },
	{ 0, "ordered", "KEY",
	    "What it gets one after the other: notification, metadata.KEY, or none." },
	{ 0, "header", "NAME=VALUE",
	    "A header of the requests; without a value it is taken away. May stand "
	    "more than once." },
	END
};

static const struct ctl_option webhook_rotate_options[] = {
	{ 0, "overlap", "DURATION",
	    "How long the old secret is used, too; 24h by default." },
	END
};

static const struct ctl_option webhook_attempts_options[] = {
	{ 0, "failed", NULL, "Only those that failed." },
	{ 0, "limit", "N", "How many, from the newest on; 50 by default." },
	END
};

static const struct ctl_option webhook_redeliver_options[] = {
	{ 0, "all", NULL, "Also what got through." },
	END
};

static const struct ctl_option suppression_list_options[] = {
	{ 0, "channel", "CHANNEL", "Only this channel." },
	{ 0, "reason", "REASON",
	    "Only hard_bounce, complaint, opt_out, unsubscribe or manual." },
	{ 0, "limit", "N", "How many, by their addresses; 50 by default." },
	END
};

static const struct ctl_option suppression_add_options[] = {
	{ 0, "reason", "REASON", "Why; \"manual\" by default." },
	{ 0, "provider", "NAME", "Only for what this account sends." },
	{ 0, "category", "CATEGORY",
	    "Only for notifications of this category." },
	END
};

/* One word for one act: "remove" is it, and "add" for what makes. */
static const struct ctl_alias aliases[] = {
	{ "tenant delete", "tenant remove" },
	{ "provider delete", "provider remove" },
	{ "suppression delete", "suppression remove" },
	{ "webhook delete", "webhook remove" },
	{ "keys new", "keys add" },
	{ "keys list", "keys status" },
	{ .words = NULL }
};

static const struct ctl_command commands[] = {
	{ "init", "", NULL, CTL_NEEDS_CONFIG, command_init,
	    "Make roles, database, schema, sealing keys, the first tenant and its keys",
	    "What is there already stays as it is, so it may be run again; API keys\n"
	    "are shown only when they are made.\n"
	    "The tenant is the one of\n.Fl \\-tenant ,\nor\n.Dq default .\n" },
	{ "migrate", "", NULL, CTL_NEEDS_CONFIG, command_migrate,
	    "Bring the schema up to this program's version", NULL },
	{ "seed", "", seed_options, CTL_NEEDS_TENANT, command_seed,
	    "Push the default templates",
	    "Templates that somebody changed stay as they are.\n" },
	{ "check-config", "", NULL, CTL_NEEDS_NOTHING, command_check_config,
	    "Read the configuration and name every fault", NULL },
	{ "config", "", config_options, CTL_NEEDS_NOTHING, command_config,
	    "Print the configuration as it is in force", NULL },
	{ "doctor", "", NULL, CTL_NEEDS_NOTHING, command_doctor,
	    "Check everything that Belfry needs and say what to mend", NULL },
	{ "tenant add", "SLUG", tenant_options, CTL_NEEDS_DATABASE,
	    command_tenant_add, "Make a tenant", NULL },
	{ "tenant list", "", NULL, CTL_NEEDS_DATABASE, command_tenant_list,
	    "List the tenants", NULL },
	{ "tenant show", "[SLUG]", NULL, CTL_NEEDS_DATABASE, command_tenant_show,
	    "Show a tenant", NULL },
	{ "tenant set", "SLUG", tenant_set_options, CTL_NEEDS_DATABASE,
	    command_tenant_set, "Change a tenant or its settings",
	    "The settings are those of the REST API, as in\n"
	    ".Dq \\-\\-set branding.color=#1d4ed8 .\n" },
	{ "tenant quiet-hours", "SLUG [JSON]", NULL, CTL_NEEDS_DATABASE,
	    command_tenant_quiet_hours,
	    "Show or set the quiet hours of recipients without their own",
	    "JSON is {\"from\": \"22:00\", \"to\": \"07:00\"}; \"days\" (mon to\n"
	    "sun) names those on which they begin, \"exempt\" the categories that\n"
	    "are sent nevertheless.  \"none\" takes them away.\n" },
	{ "tenant suspend", "SLUG", NULL, CTL_NEEDS_DATABASE,
	    command_tenant_suspend,
	    "Refuse a tenant's keys and send nothing more for it", NULL },
	{ "tenant resume", "SLUG", NULL, CTL_NEEDS_DATABASE,
	    command_tenant_resume, "Take a suspended tenant up again", NULL },
	{ "tenant remove", "SLUG", tenant_remove_options, CTL_NEEDS_DATABASE,
	    command_tenant_remove, "Delete a tenant and all that belongs to it",
	    "The spoolers do it, some rows at a time;\n"
	    ".Dq tenant show\ntells how far they came, and in the end what was removed.\n"
	    "The slug is free then.\n" },
	{ "key add", "ACCOUNT", key_add_options, CTL_NEEDS_TENANT,
	    command_key_add,
	    "Make a key for a service account, and the account when it is new",
	    "The key is shown once and stored nowhere.\n" },
	{ "key list", "", NULL, CTL_NEEDS_TENANT, command_key_list,
	    "List service accounts and their keys", NULL },
	{ "key revoke", "KEY-ID", NULL, CTL_NEEDS_TENANT, command_key_revoke,
	    "Take a key out of service at once", NULL },
	{ "key rotate", "ACCOUNT", key_rotate_options, CTL_NEEDS_TENANT,
	    command_key_rotate, "Make a new key and let the old ones run out", NULL },
	{ "keys status", "", NULL, CTL_NEEDS_DATABASE, command_keys_status,
	    "Show what each key of keys.directory seals, and which keys sign",
	    NULL },
	{ "keys add", "NAME", NULL, CTL_NEEDS_CONFIG, command_keys_add,
	    "Make a key file that nothing is sealed with yet", NULL },
	{ "keys use", "NAME", NULL, CTL_NEEDS_CONFIG, command_keys_use,
	    "Let a key of keys.directory seal from the next reload on", NULL },
	{ "keys rotate", "", keys_rotate_options, CTL_NEEDS_DATABASE,
	    command_keys_rotate,
	    "Seal everything anew with the current key, or change the signing key",
	    "Everything goes on meanwhile.\n"
	    "It may be interrupted and begun again at any time.\n" },
	{ "template push", "DIR...", push_options, CTL_NEEDS_TENANT,
	    command_template_push,
	    "Store templates from directories as their newest versions",
	    "Everything is checked before anything is stored.\n"
	    "What is stored is in use from now on, unless\n.Fl \\-draft\nis "
	    "given.\n" },
	{ "template pull", "KEY DIR", pull_options, CTL_NEEDS_TENANT,
	    command_template_pull, "Write a template into a directory", NULL },
	{ "template versions", "KEY", NULL, CTL_NEEDS_TENANT,
	    command_template_versions,
	    "List the versions of a template, the newest first", NULL },
	{ "template defaults", "KEY", template_defaults_options,
	    CTL_NEEDS_TENANT, command_template_defaults,
	    "Set what a template's notifications do that do not say otherwise",
	    NULL },
	{ "template publish", "KEY [VERSION]", NULL, CTL_NEEDS_TENANT,
	    command_template_publish,
	    "Put a version into use, by default the latest", NULL },
	{ "template rollback", "KEY [VERSION]", NULL, CTL_NEEDS_TENANT,
	    command_template_rollback,
	    "Put a version into use again",
	    "By default the newest of those that were in use before the one that "
	    "is.\n" },
	{ "template diff", "KEY [FROM] [TO]", NULL, CTL_NEEDS_TENANT,
	    command_template_diff,
	    "Compare two versions, by default the one in use with the latest",
	    NULL },
	{ "template lint", "DIR...", lint_options, CTL_NEEDS_CONFIG,
	    command_template_lint,
	    "Tell what is wrong, or looks wrong, in directories of templates",
	    "No database is needed.\nErrors are what push would refuse and what "
	    "cannot be rendered with\n.Pa sample.json .\nLayouts and partials are "
	    "those in\n.Pa _layouts\nand\n.Pa _partials\nbeside the directory.\n"
	    "The status is 7 when there is an error.\n" },
	{ "template render", "DIR", render_options, CTL_NEEDS_CONFIG,
	    command_template_render, "Render a directory with its sample",
	    "No database is needed.\nThe status is 7 when a part cannot be "
	    "rendered.\n" },
	{ "template test", "DIR...", test_options, CTL_NEEDS_CONFIG,
	    command_template_test,
	    "Render every part in every locale, and compare it with what is expected",
	    "No database is needed.\nWhat a part should become may stand in\n"
	    ".Pa expected/LOCALE/PART\nbelow the directory.\nThe status is 1 when "
	    "something differs or cannot be rendered.\n" },
	{ "template list", "", NULL, CTL_NEEDS_TENANT, command_template_list,
	    "List the templates", NULL },
	{ "template preview", "KEY", preview_options, CTL_NEEDS_TENANT,
	    command_template_preview, "Render a template", NULL },
	{ "template eval", "", eval_options, CTL_NEEDS_NOTHING,
	    command_template_eval, "Render what standard input asks for",
	    "Each line is a JSON object\n"
	    ".Brq \"id\", \"template\", \"data\", \"partials\", \"options\" ,\n"
	    "of which only \"template\" must be there; the answer is one line\n"
	    ".Brq \"id\", \"output\"\nor\n.Brq \"id\", \"error\" .\n"
	    "A line that is wrong is answered with an error, and the next one is read.\n"
	    "The output is escaped as HTML.\n\"partials\" holds sources by name, \"options\"\n"
	    "what Handlebars.compile() calls assumeObjects, compat, explicitPartialContext,\n"
	    "ignoreStandalone, knownHelpersOnly, noEscape, preventIndent, strict; what else\n"
	    "stands there changes nothing.\nA line has at most 64 MiB.\n" },
	{ "provider kinds", "[KIND]", NULL, CTL_NEEDS_NOTHING,
	    command_provider_kinds,
	    "List the kinds of providers, or explain the settings of one", NULL },
	{ "provider add", "NAME", provider_add_options, CTL_NEEDS_TENANT,
	    command_provider_add, "Add an account at a provider", NULL },
	{ "provider list", "", NULL, CTL_NEEDS_TENANT, command_provider_list,
	    "List the accounts at providers", NULL },
	{ "provider show", "NAME", NULL, CTL_NEEDS_TENANT, command_provider_show,
	    "Show an account, without its secrets", NULL },
	{ "provider set", "NAME", provider_set_options, CTL_NEEDS_TENANT,
	    command_provider_set, "Change an account", NULL },
	{ "provider enable", "NAME", NULL, CTL_NEEDS_TENANT,
	    command_provider_enable, "Use an account, also a parked one", NULL },
	{ "provider disable", "NAME", NULL, CTL_NEEDS_TENANT,
	    command_provider_disable, "Leave an account alone", NULL },
	{ "provider test", "NAME", provider_test_options, CTL_NEEDS_TENANT,
	    command_provider_test, "Ask a provider whether an account works",
	    "Sends a harmless request from this host.\n"
	    "Providers that can be asked about an address take --to.\n" },
	{ "provider dkim-record", "NAME", NULL, CTL_NEEDS_TENANT,
	    command_provider_dkim_record,
	    "Print the DNS records of the keys that sign an account's mails",
	    NULL },
	{ "provider remove", "NAME", NULL, CTL_NEEDS_TENANT,
	    command_provider_remove, "Remove an account", NULL },
	{ "provider share", "NAME", provider_share_options, CTL_NEEDS_DATABASE,
	    command_provider_share, "Let tenants use an account of the platform",
	    "The accounts of the platform are those of the tenant \"platform\".\n"
	    "Repeated for a tenant, it sets anew what the tenant may send as.\n"
	    "With --all, who has the account already keeps what it may.\n" },
	{ "provider shares", "NAME", NULL, CTL_NEEDS_DATABASE,
	    command_provider_shares,
	    "List who may use an account of the platform", NULL },
	{ "provider unshare", "NAME", provider_unshare_options,
	    CTL_NEEDS_DATABASE, command_provider_unshare,
	    "Take an account of the platform from tenants", NULL },
	{ "send", "", send_options, CTL_NEEDS_TENANT, command_send,
	    "Send a notification and print its id", NULL },
	{ "cancel", "ID", NULL, CTL_NEEDS_TENANT, command_cancel,
	    "Take back what has not gone out of a notification", NULL },
	{ "queue", "", queue_options, CTL_NEEDS_DATABASE, command_queue,
	    "Show how much waits, by tenant and lane",
	    "Long queues are estimated from a sample of their rows: then EXACT is there\n"
	    "and says so.\n"
	    "What is in flight and how fast it goes is what spoolers said in the\n"
	    "last 30 seconds.\n" },
	{ "top", "", top_options, CTL_NEEDS_DATABASE, command_top,
	    "Show spoolers and queue, again and again",
	    "Lanes, tenants and accounts at providers, the longest queue first.\n"
	    "What waits is told by lane and tenant: its account is chosen when it is\n"
	    "claimed, so accounts show what is in flight, and how fast it goes.\n" },
	{ "reconcile", "", reconcile_options, CTL_NEEDS_DATABASE,
	    command_reconcile, "Find and repair what cannot happen",
	    "Leases of nobody, deliveries and notifications in no queue, rows of\n"
	    "nothing, wrong counts, missing dead letters: of all tenants, or of\n.Fl \\-tenant .\n"
	    "Each repair stands on its timeline.\n"
	    "A spooler does the same every\n.Em spooler.reconcile_interval ,\n"
	    "a part of the history at a time.\n" },
	{ "spooler status", "[WHICH]", NULL, CTL_NEEDS_DATABASE,
	    command_spooler_status, "Show the spoolers of all hosts",
	    "WHICH is a host or the id of a spooler.\n"
	    "A spooler is running, draining, drained, holding, stopping or, when its\n"
	    "last heartbeat is older than spooler.dead_after, silent.\n" },
	{ "spooler drain", "[WHICH]", drain_options, CTL_NEEDS_DATABASE,
	    command_spooler_drain,
	    "Let spoolers finish what is in flight and take nothing new",
	    "It lasts until\n.Dq spooler undrain ,\nalso when they are started anew.\n" },
	{ "spooler undrain", "[WHICH]", drain_options, CTL_NEEDS_DATABASE,
	    command_spooler_undrain, "Let drained spoolers work again", NULL },
	{ "spooler hold", "", hold_options, CTL_NEEDS_DATABASE,
	    command_spooler_hold,
	    "Let no spooler of the installation send anything",
	    "belfry-api goes on accepting.\n"
	    "An installation whose database was restored is put on hold by itself.\n" },
	{ "spooler release", "", NULL, CTL_NEEDS_DATABASE,
	    command_spooler_release, "End the hold", NULL },
	{ "dead list", "", dead_options, CTL_NEEDS_TENANT, command_dead_list,
	    "List deliveries that were given up", NULL },
	{ "dead replay", "[DELIVERY...]", dead_act_options, CTL_NEEDS_TENANT,
	    command_dead_replay, "Try dead deliveries again",
	    "Their history stays, and attempts go on counting.\n"
	    "What dies after the command has begun is left.\n" },
	{ "dead discard", "[DELIVERY...]", dead_act_options, CTL_NEEDS_TENANT,
	    command_dead_discard, "Give up dead deliveries for good",
	    NULL },
	{ "suppression list", "", suppression_list_options, CTL_NEEDS_TENANT,
	    command_suppression_list,
	    "List addresses that are not written to any more", NULL },
	{ "suppression add", "CHANNEL ADDRESS", suppression_add_options,
	    CTL_NEEDS_TENANT, command_suppression_add,
	    "Write to an address no more", NULL },
	{ "suppression remove", "CHANNEL ADDRESS", NULL, CTL_NEEDS_TENANT,
	    command_suppression_remove, "Write to an address again", NULL },
	{ "audit list", "", audit_list_options, CTL_NEEDS_DATABASE,
	    command_audit_list, "List who changed what, the newest first", NULL },
	{ "audit export", "", audit_export_options, CTL_NEEDS_DATABASE,
	    command_audit_export, "Print the audit as lines of JSON, the oldest first",
	    "Each line has the hash that proves it and all that went into it.\n" },
	{ "audit verify", "", NULL, CTL_NEEDS_DATABASE, command_audit_verify,
	    "Prove that no entry of the audit was changed or taken away",
	    "Of all tenants and of the installation, or of\n.Fl \\-tenant .\n"
	    "The status is 1 when a chain is broken; FAULT names the first place.\n" },
	{ "webhook list", "", NULL, CTL_NEEDS_TENANT, command_webhook_list,
	    "List the URLs that are told what happens", NULL },
	{ "webhook add", "URL", webhook_add_options, CTL_NEEDS_TENANT,
	    command_webhook_add, "Tell a URL what happens",
	    "Prints its id, and once only the secret that messages are signed by.\n" },
	{ "webhook set", "ID", webhook_set_options, CTL_NEEDS_TENANT,
	    command_webhook_set, "Change an endpoint",
	    "What no option names stays.\n" },
	{ "webhook remove", "ID", NULL, CTL_NEEDS_TENANT,
	    command_webhook_remove, "Tell a URL no more", NULL },
	{ "webhook enable", "ID", NULL, CTL_NEEDS_TENANT,
	    command_webhook_enable, "Enable an endpoint",
	    "What it missed is posted by\n.Dq webhook redeliver .\n" },
	{ "webhook disable", "ID", NULL, CTL_NEEDS_TENANT,
	    command_webhook_disable, "Disable an endpoint", NULL },
	{ "webhook rotate", "ID", webhook_rotate_options, CTL_NEEDS_TENANT,
	    command_webhook_rotate, "Make a new secret for an endpoint", NULL },
	{ "webhook ping", "ID", NULL, CTL_NEEDS_TENANT, command_webhook_ping,
	    "Post a message to an endpoint", NULL },
	{ "webhook attempts", "ID", webhook_attempts_options, CTL_NEEDS_TENANT,
	    command_webhook_attempts, "List what was posted to an endpoint",
	    NULL },
	{ "webhook redeliver", "ID SINCE", webhook_redeliver_options,
	    CTL_NEEDS_TENANT, command_webhook_redeliver,
	    "Post again what did not get through since a time",
	    "SINCE is a time, a date, or how long ago it was, as in\n.Dq 2h .\n" },
	{ "privacy export", "[USER-ID]", privacy_options, CTL_NEEDS_TENANT,
	    command_privacy_export, "Print all that is stored of a person as JSON",
	    NULL },
	{ "privacy erase", "[USER-ID]", privacy_erase_options, CTL_NEEDS_TENANT,
	    command_privacy_erase, "Erase what is stored of a person",
	    "What is queued for the person is cancelled first.\n"
	    "When something is on the wire the status is 6: ask again in a moment.\n"
	    "What is printed is the receipt, which stands in the audit and names nobody.\n" },
	{ "privacy hold", "[PERSON]", legal_hold_options, CTL_NEEDS_TENANT,
	    command_privacy_hold, "Keep a person or a tenant from being erased",
	    "PERSON is a user's id or an address.\n"
	    ".Fl \\-reason\nmust be given: who releases the hold will want to know.\n" },
	{ "privacy release", "HOLD", NULL, CTL_NEEDS_TENANT,
	    command_privacy_release, "End a legal hold", NULL },
	{ "privacy holds", "", NULL, CTL_NEEDS_TENANT, command_privacy_holds,
	    "List who is on legal hold", NULL },
	{ "receipt", "NOTIFICATION DELIVERY WHAT", receipt_options,
	    CTL_NEEDS_TENANT, command_receipt,
	    "Tell what became of a delivery that was sent or is held",
	    "WHAT is delivered, failed, bounced, delayed, read, opened, clicked,\n"
	    "complained, unsubscribed or resubscribed.\n" },
	{ "bounce", "", NULL, CTL_NEEDS_NOTHING, command_bounce,
	    "Read a mail that reports on one of ours from standard input",
	    "For the pipe of a mail server: delivery status notifications (RFC 3464)\n"
	    "and complaints (RFC 5965) become what a provider would report.\n"
	    "A mail that reports nothing, or about no delivery of ours (with --tenant,\n"
	    "of that tenant), is ignored with status 0.\n"
	    "Status 75 (EX_TEMPFAIL): it could not be written down, bring it again.\n" },
	{ "explain", "ID", NULL, CTL_NEEDS_TENANT, command_explain,
	    "Tell why the deliveries of a notification went their way", NULL },
	{ "show", "ID", NULL, CTL_NEEDS_TENANT, command_show,
	    "Show what became of a notification", NULL },
	{ "help", "[COMMAND...]", help_options, CTL_NEEDS_NOTHING, command_help,
	    "Print help", NULL },
	{ .words = NULL }
};

const struct grammar ctl_grammar = { everywhere, commands, aliases };
