/*
 * maildir.c - e-mail into a directory on this host
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A mail is written to tmp/, made durable, and then linked into new/, so a reader
 * never sees half of one.  Its name there is made from the delivery's id: when a
 * delivery is attempted again because nobody knew how the first attempt ended, the
 * link is there already and no second mail appears.
 */
#include "provider/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/uuid.h"
#include "net/transfer.h"
#include "provider/mail_message.h"
#include "provider/verdict.h"

enum { SCRATCH_BYTES = 16 << 10 };

static const char *base_directory;

static const struct field fields[] = {
	FIELD(struct maildir_settings, directory, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 4000,
	    .help = "The Maildir: an absolute path below the directory that the "
	            "operator allows ([maildir] base). It is made when it is "
	            "not there.",
	    .example = "\"/var/lib/belfry/mail/demo\""),
	FIELD(struct maildir_settings, from, EMAIL,
	    .flags = FIELD_DEFAULT | FIELD_SENDER,
	    .def_text = "belfry@localhost", .help = "The sender's address.",
	    .example = "\"shop@example.org\""),
	FIELD_LIST(struct maildir_settings, senders, EMAIL, .max = 100,
	    .flags = FIELD_SENDER,
	    .help = "Other addresses that a message may name as its sender.",
	    .example = "[\"news@example.org\"]"),
	FIELD(struct maildir_settings, from_name, TEXT,
	    .flags = FIELD_ONE_LINE | FIELD_IDENTITY,
	    .max = 200, .help = "The sender's name as people see it.",
	    .example = "\"The Shop\""),
	FIELD(struct maildir_settings, reply_to, EMAIL, .flags = FIELD_IDENTITY,
	    .help = "Where answers go, when not to the sender.",
	    .example = "\"help@example.org\""),
};

static const struct field_table table = FIELD_TABLE("MaildirSettings",
    struct maildir_settings, fields, "A Maildir on the host of the spooler.");

void
maildir_set_base(const char *base)
{
	base_directory = base;
}

bool
maildir_is_of(const char *directory, const char *name)
{
	const char *below = path_below(base_directory, directory);
	size_t n = strlen(name);

	return below != NULL && n > 0 && strncmp(below, name, n) == 0 &&
	    (below[n] == '/' || below[n] == '\0');
}

static int
check(const void *settings, struct err *e)
{
	const struct maildir_settings *s = settings;

	if (path_below(base_directory, s->directory) == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"directory\": not a path below \"%s\", which the "
		    "configuration key [maildir] base allows",
		    base_directory != NULL ? base_directory : "");
	if (mail_setting_check("from", s->from, e) < 0)
		return -1;
	return mail_setting_check("reply_to", s->reply_to, e);
}

/* Opens a directory in another, without following a symbolic link; makes it when
 * it is not there.  Closes "parent".  -1 with errno. */
static int
descend(int parent, const char *name)
{
	int fd, saved;

	if (parent < 0)
		return -1;
	if (mkdirat(parent, name, 0700) == 0)
		(void)fsync(parent);
	fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	saved = errno;
	close(parent);
	errno = saved;
	return fd;
}

/* Opens the Maildir: each step on the way is a directory below the base, now and
 * not only when the settings were checked.  -1 with errno. */
static int
open_maildir(struct arena *a, const char *directory)
{
	const char *below = path_below(base_directory, directory);
	char *rest, *name;
	int fd;

	if (below == NULL) {
		errno = EACCES;
		return -1;
	}
	fd = open(base_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rest = arena_strdup(a, below);
	while (fd >= 0 && (name = strsep(&rest, "/")) != NULL) {
		if (name[0] != '\0')
			fd = descend(fd, name);
	}
	return fd;
}

static int
write_all(int fd, const struct transfer_request *mail)
{
	char scratch[SCRATCH_BYTES];
	size_t done = 0, len;
	const char *p;
	ssize_t n;

	while (done < mail->body_len) {
		len = sizeof(scratch);
		p = transfer_body_at(mail, done, scratch, &len);
		n = p != NULL ? write(fd, p, len) : -1;
		if (n < 0 && (p == NULL || errno != EINTR))
			return -1;
		if (n > 0)
			done += (size_t)n;
	}
	return fsync(fd);
}

/* Writes the octets to a new file and makes them durable. */
static int
write_file(int directory, const char *name,
    const struct transfer_request *mail)
{
	int fd, rc, saved;

	fd = openat(directory, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	rc = write_all(fd, mail);
	saved = errno;
	if (close(fd) < 0 && rc == 0)
		return -1;
	errno = saved;
	return rc;
}

/* From tmp/ to new/.  Returns 1 when the mail was in new/ already. */
static int
publish(int tmp, const char *tmp_name, int new, const char *name)
{
	int rc = linkat(tmp, tmp_name, new, name, 0);

	if (rc < 0 && errno != EEXIST)
		return -1;
	if (fsync(new) < 0)
		return -1;
	return rc < 0 ? 1 : 0;
}

struct places {
	int root, tmp, new; /* -1 when not open */
};

static void
close_places(struct places *p)
{
	if (p->tmp >= 0)
		close(p->tmp);
	if (p->new >= 0)
		close(p->new);
	if (p->root >= 0)
		close(p->root);
}

/* Opens tmp/ and new/ and sees to cur/, without which it is no Maildir. */
static int
open_places(struct arena *a, const char *directory, struct places *p)
{
	int cur;

	*p = (struct places){ open_maildir(a, directory), -1, -1 };
	if (p->root < 0)
		return -1;
	p->tmp = descend(dup(p->root), "tmp");
	p->new = descend(dup(p->root), "new");
	cur = descend(dup(p->root), "cur");
	if (cur >= 0)
		close(cur);
	return p->tmp < 0 || p->new < 0 || cur < 0 ? -1 : 0;
}

/* "1764576000.0193e2c4-....belfry": the time of the delivery and its id. */
static const char *
file_name(struct arena *a, const struct message *m)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&m->delivery.u, id);
	return arena_printf(
	    a, "%lld.%s.belfry", (long long)(m->created_ms / 1000), id);
}

/* Puts the mail into the Maildir.  0, 1 when it was there already, -1 with errno. */
static int
store(struct arena *a, const char *directory, const struct message *m,
    const struct transfer_request *mail)
{
	const char *name = file_name(a, m);
	const char *tmp_name = arena_printf(
	    a, "%s.%d.%ld", name, m->attempt, (long)getpid());
	struct places p;
	int rc = open_places(a, directory, &p), saved;

	if (rc == 0) {
		rc = write_file(p.tmp, tmp_name, mail);
		if (rc == 0)
			rc = publish(p.tmp, tmp_name, p.new, name);
		saved = errno;
		(void)unlinkat(p.tmp, tmp_name, 0);
		errno = saved;
	}
	saved = errno;
	close_places(&p);
	errno = saved;
	return rc;
}

static void
deliver(struct arena *a, const struct provider *p, const struct message *m,
    struct verdict *v_r)
{
	const struct maildir_settings *s = p->settings;
	const struct mail_sender sender = { .from = s->from,
		.from_name = s->from_name, .reply_to = s->reply_to,
		.others = s->senders, .others_count = s->senders_count };
	struct transfer_request mail = { .kind = TRANSFER_PRETEND };
	struct mail_envelope envelope;
	struct err e;
	int rc;

	if (mail_message_build(a, &sender, m, NULL, &envelope, &e) < 0) {
		verdict_set(v_r, VERDICT_BAD_MESSAGE, err_code(e.kind), e.text);
		return;
	}
	mail_envelope_body(&envelope, &mail);
	rc = store(a, s->directory, m, &mail);
	if (rc < 0) {
		/* A disk gets room and a directory its owner: never the
		 * message's fault. */
		verdict_set(v_r, VERDICT_RETRY, "not_written",
		    arena_printf(a, "could not write to \"%s\": %s",
		        s->directory, strerror(errno)));
		return;
	}
	verdict_set(v_r, VERDICT_ACCEPTED, rc == 1 ? "repeated" : "written",
	    rc == 1 ? "the mail was there already" : "written");
	snprintf(v_r->provider_ref, sizeof(v_r->provider_ref), "%s",
	    file_name(a, m));
}

const struct provider_ops maildir_ops = {
	.kind = "maildir",
	.channel = CHANNEL_EMAIL,
	.carries = CARRIES_FILES,
	.summary = "E-mail into a Maildir on the host of the spooler.",
	.settings = &table,
	.check = check,
	.deliver = deliver,
};
