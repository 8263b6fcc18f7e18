#include "tests/support/pg.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef PG_BIN
#define PG_BIN "/usr/lib/postgresql/15/bin"
#endif

enum { READY_MS = 60 * 1000, POLL_MS = 10 };

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "pg: %s: %s\n", what, strerror(errno));
	abort();
}

static const struct passwd *server_user(void)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam("postgres") : NULL;

	if (geteuid() == 0 && pw == NULL)
		give_up("there is no user postgres");
	return pw;
}

static void make_dir(char *path)
{
	const struct passwd *pw = server_user();

	if (mkdtemp(path) == NULL || (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) != 0))
		give_up(path);
}

static pid_t spawn(char *const argv[], const char *log)
{
	const struct passwd *pw = server_user();
	pid_t parent = getpid(), pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	if (pw != NULL && (initgroups(pw->pw_name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
			   setuid(pw->pw_uid) != 0))
		_exit(126);
	/* after setuid(), which forgets it; SIGINT is PostgreSQL's fast shutdown */
	if (prctl(PR_SET_PDEATHSIG, SIGINT) != 0 || getppid() != parent || chdir("/") != 0)
		_exit(126);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			give_up("waitpid");
	}
	return status;
}

static void log_of(const struct pg *pg, char *path, size_t size)
{
	snprintf(path, size, "%s/log", pg->data);
}

static void init_data(const struct pg *pg)
{
	char data[96], log[96];
	char *argv[] = {(char *)PG_BIN "/initdb",
			(char *)"-D",
			data,
			(char *)"-U",
			(char *)"postgres",
			(char *)"-A",
			(char *)"trust",
			(char *)"--no-sync",
			(char *)"--encoding=UTF8",
			(char *)"--locale=C.UTF-8",
			NULL};

	snprintf(data, sizeof(data), "%s/pg", pg->data);
	log_of(pg, log, sizeof(log));
	if (wait_for(spawn(argv, log)) != 0)
		give_up("initdb failed");
}

static void wait_until_ready(struct pg *pg)
{
	struct timespec pause = {0, POLL_MS * 1000000L};
	int status;

	for (int ms = 0; ms < READY_MS; ms += POLL_MS) {
		if (PQping(pg->conninfo) == PQPING_OK)
			return;
		if (waitpid(pg->pid, &status, WNOHANG) == pg->pid)
			break;
		nanosleep(&pause, NULL);
	}
	give_up("PostgreSQL did not get ready");
}

void pg_up(struct pg *pg)
{
	char data[96], sockets[160], log[96];
	char *argv[] = {(char *)PG_BIN "/postgres",
			(char *)"-D",
			data,
			(char *)"-c",
			sockets,
			(char *)"-c",
			(char *)"listen_addresses=",
			(char *)"-c",
			(char *)"fsync=off",
			(char *)"-c",
			(char *)"max_connections=60",
			(char *)"-c",
			(char *)"deadlock_timeout=200ms",
			NULL};

	snprintf(data, sizeof(data), "%s/pg", pg->data);
	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", pg->sockets);
	log_of(pg, log, sizeof(log));
	pg->pid = spawn(argv, log);
	wait_until_ready(pg);
}

struct pg *pg_new(void)
{
	struct pg *pg = calloc(1, sizeof(*pg));

	if (pg == NULL)
		give_up("calloc");
	strcpy(pg->data, "/var/tmp/orderd-pg.XXXXXX");
	strcpy(pg->sockets, "/tmp/opg.XXXXXX");
	make_dir(pg->data);
	make_dir(pg->sockets);
	snprintf(pg->conninfo, sizeof(pg->conninfo), "host=%s user=postgres dbname=postgres",
		 pg->sockets);
	init_data(pg);
	pg_up(pg);
	return pg;
}

void pg_down(struct pg *pg)
{
	kill(pg->pid, SIGQUIT);
	wait_for(pg->pid);
}

void pg_free(struct pg *pg)
{
	char *argv[] = {(char *)"/bin/rm", (char *)"-rf", pg->data, pg->sockets, NULL};

	kill(pg->pid, SIGINT);
	wait_for(pg->pid);
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	wait_for(pid);
	free(pg);
}

PGconn *pg_connect(const struct pg *pg)
{
	PGconn *c = PQconnectdb(pg->conninfo);

	if (PQstatus(c) != CONNECTION_OK) {
		fprintf(stderr, "pg: %s", PQerrorMessage(c));
		abort();
	}
	pg_exec(c, "SET search_path = orderd; SET client_min_messages = warning");
	return c;
}

static PGresult *exec_or_abort(PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
		fprintf(stderr, "pg: %s: %s", sql, PQresultErrorMessage(r));
		abort();
	}
	return r;
}

void pg_exec(PGconn *c, const char *sql)
{
	PQclear(exec_or_abort(c, sql));
}

long long pg_number(PGconn *c, const char *sql)
{
	PGresult *r = exec_or_abort(c, sql);
	long long n = PQntuples(r) > 0 ? atoll(PQgetvalue(r, 0, 0)) : -1;

	PQclear(r);
	return n;
}

/* A connection that was cut leaves a server process behind, which first ends what it was at. */
void pg_wait_for_others(PGconn *c)
{
	struct timespec pause = {0, POLL_MS * 1000000L};

	for (int ms = 0; ms < READY_MS; ms += POLL_MS) {
		if (pg_number(c,
			      "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
			      "AND backend_type = 'client backend' AND state <> 'idle'") == 0)
			return;
		nanosleep(&pause, NULL);
	}
	errno = ETIMEDOUT;
	give_up("others are still at work");
}
