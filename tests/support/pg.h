/*
 * A private PostgreSQL for C tests: fresh data, a unix socket in a short directory of its
 * own, ended by its pid, and by the kernel when the test dies first.  Root's server runs
 * as user postgres, which PostgreSQL insists on.
 */
#ifndef ORDERD_TESTS_PG_H
#define ORDERD_TESTS_PG_H

#include <sys/types.h>

#include <libpq-fe.h>

struct pg {
	char data[64];
	char sockets[64];
	char conninfo[160];
	pid_t pid;
};

struct pg *pg_new(void);     /* initdb and start; ends the test with a message when it cannot */
void pg_free(struct pg *pg); /* stop and remove */
void pg_down(struct pg *pg); /* immediate shutdown: no checkpoint, clients are cut off */
void pg_up(struct pg *pg);   /* start again; returns when it answers */
PGconn *pg_connect(const struct pg *pg);
void pg_exec(PGconn *c, const char *sql);        /* fails the test on an error */
long long pg_number(PGconn *c, const char *sql); /* first column of the first row */
void pg_wait_for_others(PGconn *c); /* until nobody else is inside a statement or transaction */

#endif
