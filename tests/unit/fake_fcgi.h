/*
 * fake_fcgi.h - the streams of a FastCGI request, without a web server
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TESTS_FAKE_FCGI_H
#define BELFRY_TESTS_FAKE_FCGI_H

#include <string.h>

#include <fcgiapp.h>

/* Input comes in pieces of "step" bytes; after the last one the stream ends, with
 * "error" if that is not 0. */
struct fake_in {
	FCGX_Stream s;
	unsigned char bytes[70000];
	size_t len, given, step;
	int error;
};

static inline void
fake_fill(FCGX_Stream *s)
{
	struct fake_in *in = s->data;
	size_t n = in->len - in->given;

	if (n == 0) {
		s->isClosed = 1;
		s->FCGI_errno = in->error;
		return;
	}
	n = n > in->step ? in->step : n;
	s->rdNext = in->bytes + in->given;
	s->stop = s->rdNext + n;
	in->given += n;
}

static inline FCGX_Stream *
fake_in(struct fake_in *in, const char *body, size_t len, size_t step)
{
	memset(in, 0, sizeof(*in));
	memcpy(in->bytes, body, len);
	in->len = len;
	in->step = step;
	in->s.isReader = 1;
	in->s.data = in;
	in->s.fillBuffProc = fake_fill;
	in->s.rdNext = in->s.stop = in->bytes;
	return &in->s;
}

struct fake_out {
	FCGX_Stream s;
	char text[262144];
};

static inline FCGX_Stream *
fake_out(struct fake_out *out)
{
	memset(out, 0, sizeof(*out));
	out->s.wrNext = (unsigned char *)out->text;
	out->s.stop = out->s.wrNext + sizeof(out->text) - 1;
	out->s.rdNext = out->s.stop;
	return &out->s;
}

#endif
