/*
 * How often whom may call what: the file named by rate_limits_file, a rule a line.
 *
 *	# tenant  method                            rate     burst
 *	*         /orderd.v1.OrderService/PlaceOrder  200/s    400
 *	7         /orderd.v1.OrderService/PlaceOrder  2000/s   4000
 *	7         *                                 none
 *
 * A rate is a number per s, m or h; the burst may be left out and is a second's calls then, one at
 * least.  The rule that says most wins: tenant and method, the tenant alone, the method alone,
 * neither.  What no rule is about has the rate that the settings name.  A file with a mistake is
 * not taken at all.
 */
#ifndef ORDERD_SERVER_RATE_RULES_H
#define ORDERD_SERVER_RATE_RULES_H

#include "core/base/str.h"
#include "server/runtime/buckets.h"

enum {
	RATE_RULES_BYTES_MAX = 4 << 20,
	RATE_RULES_MAX = 100000,
	RATE_MAX = 1000000, /* calls in a second, a minute or an hour */
};

struct rate_rules;

/*
 * Takes `text` (heap, NUL-terminated).  NULL: it has a mistake, *ret_why (at most `room` bytes,
 * with the line's number) says which.  Any thread.
 */
struct rate_rules *rate_rules_read(char *text, size_t n, char *ret_why, size_t room);
void rate_rules_free(struct rate_rules *r); /* NULL is fine */

/* The rate of `tenant` calling `method` (its path); `otherwise` when no rule is about that. */
struct rate rate_rules_find(const struct rate_rules *r, int32_t tenant, const char *method,
			    struct rate otherwise); /* r NULL: there are none */

#endif
