/*
 * bare_post.c - the least that an HTTP request with an insert can cost
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     bare_post SOCKET WORKERS CONNINFO TENANT
 *
 * FastCGI behind the same web server as Belfry: takes any request, throws its body
 * away, writes the two rows of an accepted notification in one round trip, answers
 * 202.  No keys, no JSON, no templates, no tenants apart.  Ends with its parent.
 */
#include <fcgiapp.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/ensure.h"
#include "base/uuid.h"

static const char insert[] =
    "WITH n AS (INSERT INTO notification (tenant_id, id, priority, account_id,"
    " template_id, template_version, category, recipients, data, request_id,"
    " created_at) VALUES ($6, $1, 1, $2, $2, 1, 'orders', $3, $4, $5, now())"
    " RETURNING id) INSERT INTO q_ready (tenant_id, lane, prio, due, id,"
    " notification_id, lease_no) SELECT $6, 0, 1, now(), id, id, 0 FROM n";

static PGconn *
connect_database(const char *conninfo)
{
	PGconn *pg = PQconnectdb(conninfo);
	PGresult *res;

	if (PQstatus(pg) != CONNECTION_OK)
		panic("could not connect: %s", PQerrorMessage(pg));
	res = PQprepare(pg, "i", insert, 0, NULL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		panic("could not prepare: %s", PQerrorMessage(pg));
	PQclear(res);
	return pg;
}

static void
write_rows(PGconn *pg, const char *tenant)
{
	char id[UUID_TEXT_BYTES];
	const char *values[] = { id, id,
		"[{\"email\":\"n12345@bench.example\",\"name\":\"Ann\"}]",
		"{\"order\":\"42\",\"carrier\":\"Parcel Post\"}", id, tenant };
	struct uuid u = uuid_make();
	PGresult *res;

	uuid_format(&u, id);
	res = PQexecPrepared(pg, "i", NELEMS(values), values, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		panic("could not insert: %s", PQerrorMessage(pg));
	PQclear(res);
}

NORETURN static void
work(int listener, const char *conninfo, const char *tenant)
{
	PGconn *pg = connect_database(conninfo);
	FCGX_Request q;
	char body[8192];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ensure(FCGX_Init() == 0);
	ensure(FCGX_InitRequest(&q, listener, 0) == 0);
	while (FCGX_Accept_r(&q) == 0) {
		while (FCGX_GetStr(body, sizeof(body), q.in) == sizeof(body))
			continue;
		write_rows(pg, tenant);
		FCGX_PutS("Status: 202\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 3\r\n\r\nok\n", q.out);
		FCGX_Finish_r(&q);
	}
	panic("could not accept");
}

int
main(int argc, char **argv)
{
	int i, listener, workers;

	if (argc != 5) {
		fprintf(stderr, "bare_post SOCKET WORKERS CONNINFO TENANT\n");
		return 2;
	}
	workers = (int)strtol(argv[2], NULL, 10);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	listener = FCGX_OpenSocket(argv[1], 512);
	ensure(listener != -1);
	for (i = 0; i < workers; i++)
		if (fork() == 0)
			work(listener, argv[3], argv[4]);
	while (wait(NULL) > 0)
		panic("a worker ended");
	return 0;
}
