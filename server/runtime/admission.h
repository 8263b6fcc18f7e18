/*
 * Whether a call comes in.  A place of its class is the poller's to give (rpc_poller.c), before
 * anybody looks at the call; here, on the loop and before its message is unpacked, the rest, the
 * cheapest first:
 *
 *	admission_early()	it is not overdue, and calls do not wait too long for the loop
 *	(auth)			who calls, and whether they may
 *	admission_share()	a seat: calls at work of its tenant, of its caller (seats.h)
 *				a token: calls in a time of its tenant and method (buckets.h)
 *
 * Who is refused is told whose share is used up and when to come back; who comes again meanwhile is
 * told so by the poller (turned_away.h).  Probes always come in.
 * Why each limit is what it is: docs/overload.md.
 */
#ifndef ORDERD_SERVER_ADMISSION_H
#define ORDERD_SERVER_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct admission;
struct config;
struct refusal;
struct rpc;
struct rpc_server;
struct show_board;

/* Columns: name in C, label of the metric rpc_shed. */
#define SHED_TABLE(X)       \
	X(WORK, "work")     \
	X(WATCH, "watch")   \
	X(PROBE, "probe")   \
	X(LATE, "late")     \
	X(TENANT, "tenant") \
	X(CALLER, "caller") \
	X(RATE, "rate")

enum shed_cause {

#define X(name, label) SHED_##name,
	SHED_TABLE(X)
#undef X
		SHED_CAUSES
};

struct admission *admission_new(const struct config *cfg);
void admission_free(struct admission *a); /* no call may be alive */

enum errc admission_early(struct rpc *c);
enum errc admission_share(struct rpc *c);
void admission_leave(struct rpc *c); /* our work for it is over */

/*
 * Poller: would admission_share() say of this call what it has just said of its caller's last?  The
 * caller ends the status.
 */
bool admission_again(const struct rpc *c, struct refusal *ret);

/* How long what is asked now would wait; 0: not at all, or nobody knows. */
int64_t admission_backlog_ms(const struct rpc_server *s);

/* A call was refused because of load.  Any thread. */
void admission_shed(struct rpc_server *s, enum shed_cause cause);

/* Loop thread, now and then: how long those whom the poller refuses shall stay away. */
void admission_look(struct rpc_server *s);

/* Views: tenants, rates. */
void admission_offer(const struct rpc_server *s, struct show_board *b);

#endif
