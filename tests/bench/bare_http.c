/*
 * bare_http.c - what libcurl alone can do: ready-made requests over a few connections
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     bare_http -p PORT -n REQUESTS [-b BYTES] [-c CONNECTIONS]
 *     bare_http -u URL -a CA-FILE -n REQUESTS [-b BYTES] [-c AT-ONCE]
 *
 * Posts a body of so many octets again and again to 127.0.0.1 and prints "REQUESTS
 * SECONDS CPU-SECONDS".  No database, no rendering, no queue: one multi handle and as
 * many transfers as connections.  With a URL the transfers go by HTTP/2 over two
 * connections.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"

enum { BODY_BYTES_MAX = 65536, CONNECTIONS_MAX = 512 };

static char body[BODY_BYTES_MAX], url[256];
static const char *ca_file; /* HTTP/2 with TLS; NULL: neither */
static long body_bytes = 400;
static int64_t wanted, started, finished;

static size_t
ignore(char *data, size_t size, size_t count, void *arg)
{
	return size * count;
}

/* A handle is used for one request after the other, as good programs do. */
static void
start(CURLM *multi, CURL *c, struct curl_slist *headers)
{
	started++;
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, body_bytes);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (ca_file != NULL) {
		curl_easy_setopt(c, CURLOPT_CAINFO, ca_file);
		curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
		    (long)CURL_HTTP_VERSION_2TLS);
		curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
	}
	ensure(curl_multi_add_handle(multi, c) == CURLM_OK);
}

static void
reap(CURLM *multi, struct curl_slist *headers)
{
	CURLMsg *msg;
	CURL *c;
	bool bad;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		bad = msg->data.result != CURLE_OK;
		if (bad && ca_file == NULL)
			panic("could not post: %s",
			    curl_easy_strerror(msg->data.result));
		c = msg->easy_handle;
		curl_multi_remove_handle(multi, c);
		/* A stream that the server refused goes once more. */
		started -= bad;
		finished += !bad;
		if (started < wanted)
			start(multi, c, headers);
		else
			curl_easy_cleanup(c);
	}
}

static void
post_all(int connections)
{
	CURLM *multi = curl_multi_init();
	struct curl_slist *headers =
	    curl_slist_append(NULL, "Content-Type: application/json");
	CURL *c;
	int i, running;

	ensure(multi != NULL && headers != NULL);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
	if (ca_file != NULL)
		curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 2L);
	for (i = 0; i < connections && started < wanted; i++) {
		c = curl_easy_init();
		ensure(c != NULL);
		start(multi, c, headers);
	}
	while (finished < wanted) {
		ensure(curl_multi_perform(multi, &running) == CURLM_OK);
		reap(multi, headers);
		if (finished < wanted)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	curl_multi_cleanup(multi);
	curl_slist_free_all(headers);
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int
main(int argc, char **argv)
{
	int connections = 10, option, port = 0;
	int64_t begin;

	while ((option = getopt(argc, argv, "a:b:c:n:p:u:")) != -1) {
		if (option == 'a')
			ca_file = optarg;
		else if (option == 'u')
			snprintf(url, sizeof(url), "%s", optarg);
		else if (option == 'b')
			body_bytes = strtol(optarg, NULL, 10);
		else if (option == 'c')
			connections = (int)strtol(optarg, NULL, 10);
		else if (option == 'n')
			wanted = strtoll(optarg, NULL, 10);
		else if (option == 'p')
			port = (int)strtol(optarg, NULL, 10);
	}
	if ((port <= 0 && url[0] == '\0') || body_bytes < 0 || body_bytes > BODY_BYTES_MAX ||
	    connections < 1 || connections > CONNECTIONS_MAX) {
		fprintf(stderr, "bare_http -p PORT -n REQUESTS [-b 400] [-c 10]\n");
		return 2;
	}
	memset(body, 'x', sizeof(body));
	if (url[0] == '\0')
		snprintf(url, sizeof(url), "http://127.0.0.1:%d/hook", port);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	begin = clock_mono_us();
	post_all(connections);
	printf("%" PRId64 " %.6f %.6f\n", finished,
	    (double)(clock_mono_us() - begin) / 1e6, cpu_seconds());
	return 0;
}
