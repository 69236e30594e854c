/*
 * tenant_settings.c - what a tenant has for itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/tenant_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/log.h"
#include "base/seal.h"
#include "model/channel.h"
#include "model/edit.h"
#include "model/quiet_hours.h"
#include "model/tenant.h"
#include "notify/user_service.h"
#include "web/cors.h"
#include "web/field_form.h"
#include "web/js.h"

enum {
	DEPTH_MAX = 8,
	HEAL_ROUNDS = 500,
	ORIGINS_MAX = 100,
	ORIGIN_MAX = 255,
	RETENTION_DAYS_MAX = 3650,
	RETENTION_RULES_MAX = 50
};

static const struct field branding_fields[] = {
	FIELD(struct tenant_branding, name, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 200, .help = "The name of the brand. Absent: the tenant's.",
	    .example = "\"Larkspur\""),
	FIELD(struct tenant_branding, url, URL, .max = 2000,
	    .help = "Where the brand is at home.",
	    .example = "\"https://example.org\""),
	FIELD(struct tenant_branding, logo_url, URL, .max = 2000,
	    .help = "A picture that stands at the head of mails.",
	    .example = "\"https://example.org/logo.png\""),
	FIELD(struct tenant_branding, color, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 7, .help = "The colour of buttons and links: #rrggbb.",
	    .example = "\"#1d4ed8\""),
	FIELD(struct tenant_branding, support_email, EMAIL,
	    .help = "Whom recipients may ask.",
	    .example = "\"help@example.org\""),
	FIELD(struct tenant_branding, footer, TEXT, .max = 2000,
	    .help = "What stands at the foot of mails: a company's name and "
	            "address, say.",
	    .example = "\"Larkspur Ltd, 1 Mill Lane, Bath\""),
};

static const struct field_table branding_table = FIELD_TABLE("TenantBranding",
    struct tenant_branding, branding_fields,
    "How a tenant shows itself: \"brand\" and \"tenant.branding\" in templates.");

static const struct field rate_fields[] = {
	FIELD(struct tenant_rate, rate, INT, .flags = FIELD_REQUIRED, .min = 1,
	    .max = 1000000, .help = "How many in a second, over time.",
	    .example = "100"),
	FIELD(struct tenant_rate, burst, INT, .min = 1, .max = 5000000,
	    .help = "How many at once, after a pause. Absent: as rate.",
	    .example = "200"),
};

static const struct field_table rate_table = FIELD_TABLE("TenantRate",
    struct tenant_rate, rate_fields, "How fast something may be asked for.");

static const struct field prefix_fields[] = {
	FIELD(struct tenant_prefix, most, INT, .flags = FIELD_REQUIRED,
	    .max = 1000000, .help = "How many recipients. 0: any number.",
	    .example = "200"),
	FIELD(struct tenant_prefix, per, DURATION, .min = 1000, .max = 86400000,
	    .help = "In which time. Absent: limits.prefix_per.",
	    .example = "\"1h\""),
	FIELD(struct tenant_prefix, digits, INT, .min = 1, .max = 15,
	    .help = "How many digits, from the country code on. Absent: "
	            "limits.prefix_digits.", .example = "6"),
};

static const struct field_table prefix_table = FIELD_TABLE("TenantPrefix",
    struct tenant_prefix, prefix_fields,
    "How many recipients whose phone numbers begin alike.");

static const struct field limits_fields[] = {
	FIELD_SUB(struct tenant_limits, send, &rate_table,
	    .help = "Notifications. Absent: limits.send_rate and send_burst."),
	FIELD_SUB(struct tenant_limits, read, &rate_table,
	    .help = "Other requests that read."),
	FIELD_SUB(struct tenant_limits, write, &rate_table,
	    .help = "Other requests that change something."),
	FIELD_SUB(struct tenant_limits, person, &rate_table,
	    .help = "All requests of one person."),
	FIELD_SUB(struct tenant_limits, prefix, &prefix_table,
	    .help = "Recipients of sms and whatsapp whose numbers begin alike."),
	FIELD(struct tenant_limits, account_share, INT, .min = 1, .max = 100,
	    .help = "How many percent of the tenant's limits one service "
	            "account may have.", .example = "50"),
};

static const struct field_table limits_table = FIELD_TABLE("TenantLimits",
    struct tenant_limits, limits_fields,
    "How fast a tenant may ask; what is absent is as the configuration has it.");

static const struct field tracking_fields[] = {
	FIELD(struct tenant_tracking, opens, BOOL,
	    .help = "A picture of one point tells that an HTML part is shown."),
	FIELD(struct tenant_tracking, clicks, BOOL,
	    .help = "Links of an HTML part lead through Belfry."),
};

static const struct field_table tracking_table = FIELD_TABLE("TenantTracking",
    struct tenant_tracking, tracking_fields,
    "What becomes known of who reads mails.");

static const struct field retention_rule_fields[] = {
	FIELD(struct retention_rule, category, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 100, .help = "Only notifications of this category.",
	    .example = "\"otp\""),
	FIELD_LIST(struct retention_rule, channel, ENUM, .words = channel_names,
	    .max = 1, .flags = FIELD_ONE_OR_MANY,
	    .help = "Only deliveries by this channel.", .example = "\"sms\""),
	FIELD(struct retention_rule, days, INT, .flags = FIELD_REQUIRED,
	    .min = 1, .max = RETENTION_DAYS_MAX,
	    .help = "For how many days they are kept.", .example = "7"),
};

static const struct field_table retention_rule_table = FIELD_TABLE(
    "RetentionRule", struct retention_rule, retention_rule_fields,
    "How long some of the deliveries are kept.");

static const struct field retention_fields[] = {
	FIELD(struct tenant_retention, days, INT, .min = 1,
	    .max = RETENTION_DAYS_MAX,
	    .help = "For how many days what no rule fits is kept. Absent: "
	            "retention.days.",
	    .example = "60"),
	FIELD_SUBS(struct tenant_retention, rules, &retention_rule_table,
	    .max = RETENTION_RULES_MAX,
	    .help = "The first one that fits a delivery counts."),
};

static const struct field_table retention_table = FIELD_TABLE(
    "TenantRetention", struct tenant_retention, retention_fields,
    "How long a tenant's history is kept.");

static const struct field fields[] = {
	FIELD_SUB(struct tenant_settings, branding, &branding_table,
	    .help = "How the tenant shows itself in templates."),
	FIELD(struct tenant_settings, quiet_hours, JSON,
	    .help = "The quiet hours of recipients without their own: from, to, "
	            "days, and exempt, a list of categories.",
	    .example = "{\"from\": \"22:00\", \"to\": \"07:00\"}"),
	FIELD_LIST(struct tenant_settings, cors_origins, TEXT,
	    .flags = FIELD_UNIQUE, .max = ORIGINS_MAX, .item_max = ORIGIN_MAX,
	    .help = "The web origins whose pages may call the API with the "
	            "tenant's tokens.",
	    .example = "[\"https://app.example.org\"]"),
	FIELD_LIST(struct tenant_settings, channels, ENUM,
	    .words = channel_names, .flags = FIELD_UNIQUE, .min = 1,
	    .max = CHANNEL_COUNT - 1,
	    .help = "The channels that it may send by. Absent: all.",
	    .example = "[\"email\", \"inapp\"]"),
	FIELD(struct tenant_settings, delivery_rate, INT, .min = 1,
	    .max = 100000,
	    .help = "How many deliveries a second all spoolers together start "
	            "for it. Absent: as many as they can.",
	    .example = "50"),
	FIELD_SUB(struct tenant_settings, limits, &limits_table,
	    .help = "How fast the tenant may ask."),
	FIELD_SUB(struct tenant_settings, retention, &retention_table,
	    .help = "How long history is kept. Absent: retention.days."),
	FIELD_SUB(struct tenant_settings, user_service, &user_service_table,
	    .help = "Where recipients are asked for who are not stored here."),
	FIELD(struct tenant_settings, queue_max, INT, .min = 0,
	    .max = 1000000000000,
	    .help = "How many deliveries may wait before new ones are refused; "
	            "0: any number. Absent: queue.tenant_max.",
	    .example = "100000"),
	FIELD_SUB(struct tenant_settings, tracking, &tracking_table,
	    .help = "What Belfry itself finds out of mails. People may have to "
	            "be asked before."),
	FIELD(struct tenant_settings, webhook_signature, ENUM,
	    .words = webhook_signatures,
	    .help = "How new webhook endpoints are signed for that do not say it "
	            "themselves. Absent: v1."),
};

const struct field_table tenant_settings_table = FIELD_TABLE("TenantSettings",
    struct tenant_settings, fields, "What a tenant has for itself.");

/* What protects the others from a tenant is not for its own administrators. */
static const char *const limits[] = { "channels", "delivery_rate", "limits",
	"queue_max" };

const char *
tenant_settings_limit(const json_t *before, const json_t *after)
{
	const json_t *a, *b;
	size_t i;

	for (i = 0; i < NELEMS(limits); i++) {
		a = json_object_get(before, limits[i]);
		b = json_object_get(after, limits[i]);
		if (a != b && !json_equal(a, b))
			return limits[i];
	}
	return NULL;
}

/* ---- Checks --------------------------------------------------------------------- */

static bool
is_color(const char *text)
{
	return strlen(text) == 7 && text[0] == '#' &&
	    strspn(text + 1, "0123456789abcdefABCDEF") == 6;
}

static void
check_quiet(const json_t *json, struct field_errors *fe)
{
	const json_t *exempt = json_object_get(json, "exempt"), *item;
	json_t *hours = json_copy((json_t *)(uintptr_t)json);
	struct quiet_hours q;
	const char *fault;
	size_t i;

	if (exempt != NULL && !json_is_array(exempt))
		field_errors_add(fe, "/quiet_hours/exempt",
		    FIELD_ERR_WRONG_TYPE, "it is a list of categories");
	json_array_foreach(exempt, i, item)
		if (!json_is_string(item))
			field_errors_add(fe, "/quiet_hours/exempt",
			    FIELD_ERR_WRONG_TYPE, "categories are texts");
	json_object_del(hours, "exempt");
	if (quiet_hours_read(hours, &q, &fault) == -1)
		field_errors_add(fe, "/quiet_hours", FIELD_ERR_MALFORMED, "%s",
		    fault);
	json_decref(hours);
}

static void
check_origins(struct arena *a, const struct tenant_settings *s,
    struct field_errors *fe)
{
	size_t i;

	for (i = 0; i < s->cors_origins_count; i++)
		if (!cors_is_origin(s->cors_origins[i]))
			field_errors_add(fe,
			    arena_printf(a, "/cors_origins/%zu", i),
			    FIELD_ERR_MALFORMED,
			    "an origin is http:// or https://, a host in lower "
			    "case, and a port when it is not the usual one");
}

/* Each member by itself: what is shown lacks its secrets, so what goes together cannot be
 * told from it. */
static int
check_members(struct arena *a, json_t *json, struct tenant_settings *s,
    struct field_errors *fe)
{
	size_t before = fe->count;

	*s = (struct tenant_settings){ .queue_max = 0 };
	if (fields_read(a, json, &tenant_settings_table, s, fe) == -1)
		return -1;
	if (s->quiet_hours != NULL)
		check_quiet(s->quiet_hours, fe);
	if (s->branding != NULL && s->branding->color != NULL &&
	    !is_color(s->branding->color))
		field_errors_add(fe, "/branding/color", FIELD_ERR_MALFORMED,
		    "a colour is # and six hexadecimal digits");
	check_origins(a, s, fe);
	return fe->count == before ? 0 : -1;
}

int
tenant_settings_check(struct arena *a, json_t *json, struct field_errors *fe)
{
	struct tenant_settings s;
	size_t before = fe->count;

	if (check_members(a, json, &s, fe) == -1)
		return -1;
	if (s.user_service != NULL)
		user_service_check(a, s.user_service, "/user_service", fe);
	return fe->count == before ? 0 : -1;
}

/* ---- What is stored ---------------------------------------------------------------- */

/* The next name of a pointer (RFC 6901). */
static const char *
next_name(char **rest)
{
	char *name = strsep(rest, "/"), *from = name, *to = name;

	for (; *from != '\0'; from++) {
		if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
	return name;
}

/* What surrounds the value at a pointer, whose last name is *last_r; NULL: nothing does. */
static json_t *
surrounding(struct arena *a, json_t *json, const char *pointer,
    const char **last_r)
{
	char *rest = arena_strdup(a, pointer + 1);
	const char *name = next_name(&rest);

	for (; rest != NULL; name = next_name(&rest))
		json = json_is_array(json)
		    ? json_array_get(json, strtoul(name, NULL, 10))
		    : json_object_get(json, name);
	*last_r = name;
	return json;
}

/* Takes the value at a pointer out of "json", or what surrounds it where it lacks and must not.
 * False when places of a list changed by it. */
static bool
take_out(struct arena *a, json_t *json, const char *pointer)
{
	const char *name;
	json_t *inside;

	if (pointer[0] == '\0') {
		json_object_clear(json);
		return false;
	}
	inside = surrounding(a, json, pointer, &name);
	if (json_is_array(inside)) {
		json_array_remove(inside, strtoul(name, NULL, 10));
		return false;
	}
	if (inside == NULL || json_object_del(inside, name) == 0)
		return true;
	return take_out(a, json,
	    arena_strndup(a, pointer,
	        (size_t)(strrchr(pointer, '/') - pointer)));
}

/* A rate below one a second cannot be set, but holds where it is stored: to forget it would
 * be to lift a limit. */
static bool
is_in_force(struct arena *a, json_t *json, const struct field_error *f)
{
	const char *name;
	json_t *inside;

	if (strncmp(f->pointer, "/limits/", 8) != 0)
		return false;
	inside = surrounding(a, json, f->pointer, &name);
	return strcmp(name, "rate") == 0 &&
	    json_is_real(json_object_get(inside, name)) &&
	    json_real_value(json_object_get(inside, name)) > 0;
}

/* Takes all broken members out that can be taken out at once; false: there are none. */
static bool
heal_once(struct arena *a, json_t **json, const json_t *stored,
    struct field_errors *fe)
{
	struct tenant_settings unused;
	struct field_errors now;
	const struct field_error *f;
	bool healed = false;

	field_errors_init(&now, a);
	if (check_members(a, *json, &unused, &now) == 0)
		return false;
	for (f = now.first; f != NULL; f = f->next) {
		if (is_in_force(a, *json, f))
			continue;
		if (*json == stored)
			*json = js_keep(a, json_deep_copy(stored));
		field_errors_add(fe, f->pointer, f->code, "%s", f->detail);
		healed = true;
		if (!take_out(a, *json, f->pointer))
			break;
	}
	return healed;
}

json_t *
tenant_settings_heal(struct arena *a, json_t *stored, struct field_errors *fe)
{
	json_t *json = stored;
	int round = 0;

	if (!json_is_object(json))
		return js_keep(a, json_object());
	while (heal_once(a, &json, stored, fe))
		if (++round == HEAL_ROUNDS)
			return js_keep(a, json_object());
	return json;
}

json_t *
tenant_settings_stored(struct arena *a, const char *text, struct field_errors *fe)
{
	json_t *json;
	struct err e;

	if (js_parse_stored(a, text, &json, &e) == -1) {
		field_errors_add(fe, "", FIELD_ERR_MALFORMED, "%s", e.text);
		json = NULL;
	}
	return tenant_settings_heal(a, json, fe);
}

void
tenant_settings_complain(struct tenant_id tenant, const struct field_errors *fe)
{
	const struct field_error *f;

	for (f = fe->first; f != NULL; f = f->next)
		log_warn(NULL, "a setting of a tenant is broken and counts as absent",
		    LF_INT("tenant_id", tenant.n), LF_STR("setting", f->pointer),
		    LF_STR("reason", f->detail));
}

json_t *
tenant_settings_read(struct arena *a, const struct tenant *t)
{
	struct field_errors fe;

	field_errors_init(&fe, a);
	return tenant_settings_stored(a, t->settings, &fe);
}

enum webhook_signature
tenant_webhook_signature(struct arena *a, const struct tenant *t)
{
	enum webhook_signature signature = WEBHOOK_NO_SIGNATURE;
	const char *word = json_string_value(json_object_get(
	    tenant_settings_read(a, t), "webhook_signature"));

	if (word != NULL)
		signature = webhook_signature_find(word);
	return signature != WEBHOOK_NO_SIGNATURE ? signature : WEBHOOK_V1;
}

/* ---- Secrets --------------------------------------------------------------------- */

static struct seal_place
place_of(const struct tenant *t)
{
	return (struct seal_place){ .tenant = t->id, .table = "tenant",
		.column = "sealed" };
}

int
tenant_settings_whole(struct arena *a, const struct keyring *ring,
    const struct tenant *t, json_t **settings_r, struct err *e)
{
	struct seal_place place = place_of(t);
	json_t *shown, *secret;
	void *plain;
	size_t n;

	shown = tenant_settings_read(a, t);
	*settings_r = shown;
	if (t->sealed == NULL)
		return 0;
	if (unseal(a, ring, &place, t->sealed, t->sealed_bytes, &plain, &n,
	        e) == -1 ||
	    js_parse(a, plain, n, DEPTH_MAX, &secret, e) == -1)
		return -1;
	*settings_r = js_merge_patch(a, shown, secret);
	return 0;
}

int
tenant_settings_seal(struct arena *a, const struct keyring *ring,
    json_t *settings, struct tenant *t, struct err *e)
{
	struct seal_place place = place_of(t);
	json_t *shown, *secret;
	const char *text;
	void *blob;

	fields_split(a, &tenant_settings_table, settings, &shown, &secret);
	t->settings = edit_json(a, shown);
	t->sealed = NULL;
	if (json_object_size(secret) == 0)
		return 0;
	text = edit_json(a, secret);
	if (seal(a, ring, &place, text, strlen(text), &blob, &t->sealed_bytes,
	        e) == -1)
		return -1;
	t->sealed = blob;
	return 0;
}

/* ---- Use -------------------------------------------------------------------------- */

static struct prefix_rule
prefix_rule_of(const json_t *row)
{
	const char *per = json_string_value(json_object_get(row, "per"));
	const json_t *most = json_object_get(row, "most");
	const json_t *digits = json_object_get(row, "digits");
	struct prefix_rule rule = {
		.is_set = json_is_integer(most) && json_integer_value(most) >= 0,
		.most = json_integer_value(most),
	};
	int64_t per_ms;

	if (per != NULL && form_duration_parse(per, &per_ms) == 0 && per_ms > 0)
		rule.per_ms = per_ms;
	if (json_integer_value(digits) >= 1 && json_integer_value(digits) <= 15)
		rule.digits = (int)json_integer_value(digits);
	return rule;
}

struct tenant_rules
tenant_rules_of(const json_t *settings)
{
	const json_t *channels = json_object_get(settings, "channels"), *name;
	const json_t *rate = json_object_get(settings, "delivery_rate");
	const json_t *tracking = json_object_get(settings, "tracking");
	struct tenant_rules rules = {
		.delivery_rate = (int)json_integer_value(rate),
		.opens = json_is_true(json_object_get(tracking, "opens")),
		.clicks = json_is_true(json_object_get(tracking, "clicks")),
		.prefix = prefix_rule_of(json_object_get(
		    json_object_get(settings, "limits"), "prefix")),
	};
	unsigned allowed = 0;
	size_t i;

	if (!json_is_array(channels))
		return rules;
	json_array_foreach(channels, i, name)
		if (json_is_string(name))
			allowed |=
			    1u << channel_parse(json_string_value(name));
	rules.forbidden = ~allowed;
	return rules;
}

json_t *
tenant_variables(struct arena *a, const char *name, const char *slug,
    const json_t *branding)
{
	json_t *brand = json_is_object(branding)
	    ? json_copy((json_t *)(uintptr_t)branding)
	    : json_object();

	if (json_object_get(brand, "name") == NULL)
		json_object_set_new(brand, "name", json_string(name));
	return js_keep(a, json_pack("{s:{s:s, s:s, s:O}, s:o}", "tenant",
	                      "name", name, "slug", slug, "branding", brand,
	                      "brand", brand));
}
