/*
 * fetch.c - one small document over HTTPS, now
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which addresses are allowed is decided for the address that is connected to, so a
 * name that changes its mind between two look-ups gains nothing.
 */
#include "net/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/network.h"
#include "net/ca_file.h"
#include "net/guard.h"

struct fetching {
	const struct fetch_request *request;
	struct buf *body;
	bool forbidden; /* an address was */
	char error[CURL_ERROR_SIZE];
};

static bool
is_http(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0;
}

/* "http://127.0.0.1:8080/x", "http://[::1]/", "http://localhost". */
static bool
names_this_host(const char *url)
{
	char host[64];
	struct network n;
	size_t len;

	url += 7;
	len = url[0] == '[' ? strcspn(url, "]") + 1 : strcspn(url, ":/?#");
	if (len >= sizeof(host))
		return false;
	memcpy(host, url, len);
	host[len] = '\0';
	return strcasecmp(host, "localhost") == 0 ||
	    (network_parse(host, false, &n) == 0 && network_is_loopback(&n));
}

bool
fetch_url_is_good(const char *url, const char *allowed)
{
	const char *authority;

	if (allowed != NULL && !guard_allows_url(allowed, url))
		return false;
	if (is_http(url))
		return strchr(url, '@') == NULL && names_this_host(url);
	if (strncasecmp(url, "https://", 8) != 0)
		return false;
	authority = url + 8;
	return strcspn(authority, "/?#") > 0 &&
	    memchr(authority, '@', strcspn(authority, "/?#")) == NULL;
}

static bool
is_guarded_off(const struct fetch_request *r, const struct sockaddr *address)
{
	return r->allowed != NULL && !guard_allows(r->allowed, address) &&
	    (r->allowed_platform == NULL ||
	        !guard_allows(r->allowed_platform, address));
}

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetching *f = arg;
	struct network n;

	if (network_of(&address->addr, &n) != 0 ||
	    is_guarded_off(f->request, &address->addr) ||
	    (is_http(f->request->url) && !network_is_loopback(&n))) {
		f->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

static size_t
take(char *p, size_t size, size_t n, void *arg)
{
	struct fetching *f = arg;

	buf_add(f->body, p, size * n);
	return buf_overflowed(f->body) ? 0 : size * n;
}

static void
set_options(CURL *easy, struct fetching *f)
{
	const struct fetch_request *r = f->request;

	curl_easy_setopt(easy, CURLOPT_URL, r->url);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, f->error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
	    is_http(r->url) ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "belfry");
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)r->max_bytes);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	if (r->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca_file);
}

static int
fail(struct err *e, const struct fetching *f, const char *why)
{
	return err_set(e, ERR_TEMPORARY, "could not fetch \"%.120s\": %s",
	    f->request->url, why);
}

static int
perform(struct arena *a, struct fetching *f, struct err *e)
{
	CURL *easy = curl_easy_init();
	long status = 0;
	CURLcode rc;

	ensure(easy != NULL);
	set_options(easy, f);
	rc = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	if (f->forbidden)
		return fail(e, f, "its address is not allowed");
	if (buf_overflowed(f->body) || rc == CURLE_FILESIZE_EXCEEDED)
		return fail(e, f, "the document is too large");
	if (rc != CURLE_OK)
		return fail(e, f, f->error[0] != '\0' ? f->error :
		                                       curl_easy_strerror(rc));
	if (status != 200)
		return fail(e, f,
		    arena_printf(a, "the server answered %ld", status));
	return 0;
}

int
fetch(struct arena *a, const struct fetch_request *r, const char **text_r,
    size_t *len_r, struct err *e)
{
	struct fetching f = { .request = r,
		.body = buf_new(a, r->max_bytes) };
	struct err why;

	if (!fetch_url_is_good(r->url, r->allowed) &&
	    (r->allowed_platform == NULL ||
	        !fetch_url_is_good(r->url, r->allowed_platform)))
		return fail(e, &f, "only https is allowed");
	if (r->ca_file != NULL && ca_file_check(r->ca_file, &why) == -1)
		return fail(e, &f, why.text);
	if (perform(a, &f, e) != 0)
		return -1;
	*text_r = f.body->data;
	*len_r = f.body->len;
	return 0;
}
