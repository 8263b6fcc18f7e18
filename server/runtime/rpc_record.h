/*
 * Which calls are put on record, and when: every call of a LOUD row (policy_table.h), and every
 * refused one of any other, UNAUTHENTICATED or PERMISSION_DENIED.
 *
 * A loud call's flow has three steps more than its author wrote.  Before the first, that it begins
 * is written; nothing is done when that cannot be.  After the last, what became of it is written,
 * and then it is answered; when that cannot be, a good answer is not given (NOT_RECORDED).  In both
 * cases the recorder goes on trying by itself; should this process end, another finds what had
 * begun.  A refusal is answered at once and written behind it.
 */
#ifndef ORDERD_SERVER_RPC_RECORD_H
#define ORDERD_SERVER_RPC_RECORD_H

#include "core/base/id.h"
#include "core/base/str.h"
#include "core/flow/flow.h"

struct rpc;
struct rpc_served;

/* What is on record of a call.  Ids, codes and names of credentials; nothing personal, no secret.
 */
struct call_note {
	struct id id;  /* the call's: what is written twice is there once */
	int64_t at_us; /* when it came, clock_wall_us() */
	int32_t tenant;
	struct str actor, role; /* empty: nobody is known */
	struct str peer;        /* address, without the port */
	const char *method;     /* path, lives for ever */
	struct str request_id;  /* p == NULL: none */
	struct str object;
	int status;         /* gRPC's */
	const char *reason; /* lives for ever */
	struct trace trace;
};

enum { CALL_TEXT_MAX = 128 /* bytes of each text; what is longer is none of ours */ };

struct rpc_recorder {
	int (*begin)(struct flow *fl, const struct call_note *n); /* an ask; texts live in fl */
	int (*end)(struct flow *fl, const struct call_note *n);   /* the same */
	void (*later)(void *arg, const struct call_note *n); /* copies, and waits for nothing */
	void *arg;
};

/* A table of steps with those of the record around; heap. */
struct flow_step *rpc_record_steps(const struct flow_step *steps, int end);
int rpc_record_first(int end); /* where a flow of such a table starts */

/* The call is answered with e: what is to be on record and is not yet goes to the recorder. */
void rpc_record_answer(struct rpc *c, enum errc e);

#endif
