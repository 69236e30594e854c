/*
 * attachment.c - files that go with a notification
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/attachment.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/config.h"
#include "net/guard.h"
#include "notify/accept.h"
#include "notify/send_request.h"
#include "provider/mime_check.h"
#include "provider/provider.h"

static const struct field fields[] = {
	FIELD(struct send_attachment, url, URL, .max = 2000,
	    .help = "Where it is fetched when the message is sent. Either this or "
	            "content.",
	    .example = "\"https://example.org/invoice.pdf\""),
	FIELD(struct send_attachment, content, TEXT, .min = 1,
	    .max = 96 << 20, .help = "The content in base64.",
	    .example = "\"SGVsbG8K\""),
	FIELD(struct send_attachment, name, TEXT, .min = 1, .max = 200,
	    .flags = FIELD_ONE_LINE,
	    .help = "The file's name; by default the last part of the URL.",
	    .example = "\"invoice.pdf\""),
	FIELD(struct send_attachment, type, TEXT, .min = 3, .max = 100,
	    .flags = FIELD_ONE_LINE,
	    .help = "Its media type; by default what the server of the URL says, "
	            "or application/octet-stream.",
	    .example = "\"application/pdf\""),
	FIELD(struct send_attachment, content_id, TEXT, .min = 1,
	    .max = MIME_CONTENT_ID_MAX, .flags = FIELD_ONE_LINE,
	    .help = "Makes it an image that the HTML of mails shows: "
	            "<img src=\"cid:logo\">. Letters, digits and -_.+, and one @ "
	            "between them.",
	    .example = "\"logo\""),
};

const struct field_table send_attachment_table = FIELD_TABLE("SendAttachment",
    struct send_attachment, fields, "A file that goes with mails, and with messages of "
    "Telegram and WhatsApp.");

const char *
attachment_name(struct arena *a, const char *url)
{
	const char *at = strstr(url, "://"), *end, *slash;

	at = at != NULL ? at + 3 : url;
	end = at + strcspn(at, "?#");
	slash = memrchr(at, '/', (size_t)(end - at));
	if (slash == NULL || slash + 1 == end)
		return "attachment";
	return arena_strndup(a, slash + 1, (size_t)(end - slash - 1));
}

int
attachment_decode(struct arena *a, const char *text, void **bytes_r,
    size_t *n_r)
{
	size_t len = strlen(text);
	unsigned char *bytes = arena_alloc(a, len / 4 * 3 + 4);

	if (sodium_base642bin(bytes, len / 4 * 3 + 4, text, len, "\r\n", n_r,
	        NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	*bytes_r = bytes;
	return 0;
}

static void
check_type(const char *type, const char *pointer, struct field_errors *fe)
{
	const char *why = NULL;

	if (type != NULL)
		why = strchr(type, ';') != NULL ? "has parameters"
		                                : mime_type_fault(type);
	if (why != NULL)
		field_errors_add(fe, pointer, FIELD_ERR_MALFORMED, "it %s", why);
}

/* Of two that have the same, an HTML could show only one. */
static void
check_content_id(struct arena *a, const struct send_request *rq, size_t n,
    struct field_errors *fe)
{
	const char *id = rq->attachments[n].content_id, *why;
	const char *pointer = arena_printf(a, "/attachments/%zu/content_id", n);
	size_t i;

	if (id == NULL)
		return;
	why = mime_content_id_fault(id);
	if (why != NULL)
		field_errors_add(fe, pointer, FIELD_ERR_MALFORMED, "it %s", why);
	for (i = 0; i < n; i++)
		if (rq->attachments[i].content_id != NULL &&
		    strcmp(rq->attachments[i].content_id, id) == 0)
			field_errors_add(fe, pointer, FIELD_ERR_CONFLICTING,
			    "/attachments/%zu has the same", i);
}

/* One of them; *bytes grows by what stands in the request. */
static void
check(struct arena *a, const struct send_attachment *at, const char *pointer,
    size_t *bytes, struct field_errors *fe)
{
	void *unused;
	size_t n;

	if ((at->url == NULL) == (at->content == NULL))
		field_errors_add(fe, pointer,
		    at->url != NULL ? FIELD_ERR_CONFLICTING : FIELD_ERR_MISSING,
		    "one of url and content must be given");
	check_type(at->type, arena_printf(a, "%s/type", pointer), fe);
	if (at->url != NULL &&
	    !guard_allows_url(provider_allowed_networks(), at->url))
		field_errors_add(fe, arena_printf(a, "%s/url", pointer),
		    FIELD_ERR_NOT_ALLOWED, "its address %s",
		    guard_refusal(false));
	if (at->content == NULL)
		return;
	if (at->name == NULL)
		field_errors_add(fe, arena_printf(a, "%s/name", pointer),
		    FIELD_ERR_MISSING, "with content it must be given");
	if (attachment_decode(a, at->content, &unused, &n) == -1)
		field_errors_add(fe, arena_printf(a, "%s/content", pointer),
		    FIELD_ERR_MALFORMED, "it is not base64");
	else
		*bytes += n;
}

void
attachments_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe)
{
	const struct send_request *rq = p->request;
	size_t i, bytes = 0;

	for (i = 0; i < rq->attachments_count; i++) {
		check(a, &rq->attachments[i],
		    arena_printf(a, "/attachments/%zu", i), &bytes, fe);
		check_content_id(a, rq, i, fe);
	}
	if (bytes > (size_t)p->config->attachment_inline_max)
		field_errors_add(fe, "/attachments", FIELD_ERR_TOO_LONG,
		    "their contents have more than %lld bytes together; give "
		    "URLs",
		    (long long)p->config->attachment_inline_max);
}
