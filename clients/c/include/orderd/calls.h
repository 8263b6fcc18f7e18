/*
 * liborderd-client, many calls at a time: one thread starts them and takes their answers as they
 * come, in whatever order.  For programs that have hundreds under way; the calls of client.h are
 * simpler.  Nothing is repeated here: a call ends as it ends.
 */
#ifndef ORDERD_CALLS_H
#define ORDERD_CALLS_H

#include "orderd/client.h"

#ifdef __cplusplus
extern "C" {
#endif

struct orderd_calls;

enum orderd_method {
	ORDERD_PLACE_ORDER,
	ORDERD_GET_ORDER,
	ORDERD_GET_ORDER_STATUS,
	ORDERD_METHODS_OF_CALLS
};

/* A call that has ended. */
struct orderd_answer {
	void *tag;
	int status; /* gRPC's, 0: it succeeded */
	/* The response, packed; lives until the next answer is taken. */
	const uint8_t *bytes;
	size_t n;
};

/*
 * Connects by and by, over so many connections: a server bounds the calls of each.  NULL as with
 * orderd_client_new_with().
 */
struct orderd_calls *orderd_calls_new(const struct orderd_client_options *opt, int connections,
				      struct orderd_error *reterr);

/* Calls under way are cancelled and their answers are lost. */
void orderd_calls_free(struct orderd_calls *c);

/* Begins a call; `rq` may go when this returns.  `tag` comes back with the answer. */
void orderd_calls_start(struct orderd_calls *c, enum orderd_method method,
			const ProtobufCMessage *rq, int deadline_ms, void *tag);

/* Waits for the next answer, so long at most (0: not at all); false: none came. */
bool orderd_calls_next(struct orderd_calls *c, int64_t wait_us, struct orderd_answer *ret);

/* Why the call last answered failed. */
void orderd_calls_error(const struct orderd_calls *c, struct orderd_error *ret);

#ifdef __cplusplus
}
#endif

#endif
