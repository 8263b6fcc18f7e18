/*
 * The access log: one line per call, at its end (setting access_log).  It stands instead of
 * the line that other flows end with, and names no person: ids, sizes and the caller's
 * address only.  Calls that are shed are counted instead, for they are many.  Loop thread.
 */
#ifndef ORDERD_SERVER_ACCESS_LOG_H
#define ORDERD_SERVER_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct rpc;

enum access_mode { ACCESS_OFF, ACCESS_ERRORS, ACCESS_ALL };

struct access_log {
	enum access_mode mode;
	/* of the second at hand: refusals cost less than what a flood of them could fill a disk
	 * with */
	int64_t second;
	unsigned lines, skipped;
};

bool access_mode_parse(const char *text, enum access_mode *ret); /* "errors" */

/* `c` is answered `e`, `us` after it came. */
void access_log_call(struct rpc *c, enum errc e, int64_t us);

#endif
