/*
 * bare_smtp.c - what libcurl alone can do: ready-made mails over a few connections
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     bare_smtp -p PORT -n MAILS -m FILE [-c CONNECTIONS]
 *
 * Sends the mail in FILE again and again to an SMTP server on 127.0.0.1 and prints
 * "MAILS SECONDS CPU-SECONDS".  No database, no rendering, no queue: one multi handle
 * and as many transfers as connections.
 */
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"

enum { MAIL_BYTES_MAX = 1 << 20, CONNECTIONS_MAX = 256 };

struct mail {
	CURL *curl;
	size_t sent;
	char to[64];
	struct curl_slist *rcpt;
};

static char mail_text[MAIL_BYTES_MAX];
static size_t mail_bytes;
static char url[64];
static int64_t wanted, started, finished;

static size_t
read_mail(char *out, size_t size, size_t count, void *arg)
{
	struct mail *m = arg;
	size_t n = mail_bytes - m->sent;

	if (n > size * count)
		n = size * count;
	memcpy(out, mail_text + m->sent, n);
	m->sent += n;
	return n;
}

/* A handle is used for one mail after the other, as good programs do. */
static void
start(CURLM *multi, struct mail *m)
{
	CURL *c = m->curl;

	m->sent = 0;
	curl_slist_free_all(m->rcpt);
	snprintf(m->to, sizeof(m->to), "<n%" PRId64 "@bench.example>", started++);
	m->rcpt = curl_slist_append(NULL, m->to);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, "<bench@bench.example>");
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, m->rcpt);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, read_mail);
	curl_easy_setopt(c, CURLOPT_READDATA, m);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail_bytes);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PRIVATE, m);
	ensure(curl_multi_add_handle(multi, c) == CURLM_OK);
}

static void
reap(CURLM *multi)
{
	CURLMsg *msg;
	struct mail *m;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		if (msg->data.result != CURLE_OK)
			panic("could not send: %s",
			    curl_easy_strerror(msg->data.result));
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &m);
		curl_multi_remove_handle(multi, m->curl);
		finished++;
		if (started < wanted)
			start(multi, m);
	}
}

static void
send_all(int connections)
{
	static struct mail mails[CONNECTIONS_MAX];
	CURLM *multi = curl_multi_init();
	int i, running;

	ensure(multi != NULL);
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)connections);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
	for (i = 0; i < connections && started < wanted; i++) {
		mails[i].curl = curl_easy_init();
		ensure(mails[i].curl != NULL);
		start(multi, &mails[i]);
	}
	while (finished < wanted) {
		ensure(curl_multi_perform(multi, &running) == CURLM_OK);
		reap(multi);
		if (finished < wanted)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	for (i = 0; i < connections; i++) {
		curl_easy_cleanup(mails[i].curl);
		curl_slist_free_all(mails[i].rcpt);
	}
	curl_multi_cleanup(multi);
}

static void
read_file(const char *path)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		panic("could not open \"%s\": %s", path, strerror(errno));
	mail_bytes = fread(mail_text, 1, sizeof(mail_text), f);
	ensure(mail_bytes > 0 && mail_bytes < sizeof(mail_text));
	fclose(f);
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

	while ((option = getopt(argc, argv, "c:m:n:p:")) != -1) {
		if (option == 'c')
			connections = (int)strtol(optarg, NULL, 10);
		else if (option == 'm')
			read_file(optarg);
		else if (option == 'n')
			wanted = strtoll(optarg, NULL, 10);
		else if (option == 'p')
			port = (int)strtol(optarg, NULL, 10);
	}
	if (port <= 0 || mail_bytes == 0 || connections < 1 ||
	    connections > CONNECTIONS_MAX) {
		fprintf(stderr, "bare_smtp -p PORT -n MAILS -m FILE [-c 10]\n");
		return 2;
	}
	snprintf(url, sizeof(url), "smtp://127.0.0.1:%d/bench.example", port);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	begin = clock_mono_us();
	send_all(connections);
	printf("%" PRId64 " %.6f %.6f\n", finished,
	    (double)(clock_mono_us() - begin) / 1e6, cpu_seconds());
	return 0;
}
