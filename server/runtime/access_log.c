#include "server/runtime/access_log.h"

#include <inttypes.h>
#include <string.h>

#include <grpc/support/alloc.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "server/runtime/rpc_runtime.h"

enum { ERROR_LINES_MAX = 500 }; /* in one second, of mode errors */

static const char *const mode_names[] = {
	[ACCESS_OFF] = "off", [ACCESS_ERRORS] = "errors", [ACCESS_ALL] = "all"};

bool access_mode_parse(const char *text, enum access_mode *ret)
{
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (strcmp(text, mode_names[i]) == 0) {
			*ret = (enum access_mode)i;
			return true;
		}
	}
	return false;
}

/* Room for one more line in this second; the first of the next one says how many there were none
 * of. */
static bool has_room(struct access_log *l)
{
	int64_t second = clock_mono_ms() / 1000;

	if (second != l->second) {
		if (l->skipped > 0)
			log_warn("access_log_skipped", "lines=%u", l->skipped);
		l->second = second;
		l->lines = l->skipped = 0;
	}
	if (l->lines < ERROR_LINES_MAX) {
		l->lines++;
		return true;
	}
	l->skipped++;
	return false;
}

/* A stream's reader may go when it likes: that is no error. */
static bool went_well(const struct rpc *c, enum errc e)
{
	bool stream = c->served->method != NULL && c->served->method->kind != RPC_UNARY;

	return e == ERR_OK || (stream && e == ERR_CANCELLED);
}

/* A call that is not wanted at its level is still a line for who debugs. */
static enum log_level level_of(struct rpc *c, enum errc e)
{
	struct access_log *l = &c->server->access;
	bool probe = c->served->method != NULL && c->served->method->class == RPC_PROBE;

	if (went_well(c, e))
		return l->mode == ACCESS_ALL && !probe ? LOG_INFO : LOG_DEBUG;
	if (l->mode == ACCESS_OFF || (l->mode == ACCESS_ERRORS && !has_room(l)))
		return LOG_DEBUG;
	return err_status(e) == ERR_STATUS_INTERNAL ? LOG_ERROR : LOG_INFO;
}

void access_log_call(struct rpc *c, enum errc e, int64_t us)
{
	enum log_level level = level_of(c, e);
	char order[ID_TEXT_SIZE], trace[TRACE_TEXT_SIZE];
	struct str request = rpc_request_id(c);
	const char *step = c->flow.cause_step;
	char *peer;

	if (!log_wants(level))
		return;
	peer = grpc_call_get_peer(c->call);
	log_line(level, "rpc",
		 "method=%s code=%s step=%s ms=%" PRId64 ".%03d peer=%s caller=%s tenant=%" PRId32
		 " request=%s order=%s trace=%s in=%zu out=%zu",
		 c->flow.name, err_name(e), e != ERR_OK && step != NULL ? step : "none", us / 1000,
		 (int)(us % 1000), LOG_Q(peer), log_quote(c->who.subject.p, (int)c->who.subject.n),
		 c->who.tenant, log_quote(request.p, (int)request.n),
		 id_is_zero(c->order) ? "none" : id_format(c->order, order),
		 trace_text(&c->flow.trace, trace), c->bytes_in, c->bytes_out);
	gpr_free(peer);
}
