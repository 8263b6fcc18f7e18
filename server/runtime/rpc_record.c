#include "server/runtime/rpc_record.h"

#include <assert.h>
#include <string.h>

#include <grpc/support/alloc.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "server/auth/policy.h"
#include "server/runtime/rpc_runtime.h"

/* A step's wait.  Less than callers wait as a rule, so that they hear what it was. */
enum { RECORD_MS = 5000 };

/* Rows beside the author's, behind his last one, whose place RECORD takes. */
enum { BEGIN = 1, UNRECORDED, LAST, RECORD_ROWS };

static int row(const struct flow *fl, int which)
{
	return rpc_of((struct flow *)(uintptr_t)fl)->served->end + which;
}

/* ---- what is written ---- */

/* "ipv4:127.0.0.1:53212" without the port; "unix:" has none. */
static struct str address_of(struct rpc *c)
{
	char *peer = grpc_call_get_peer(c->call);
	size_t n = strlen(peer);
	const char *colon = strrchr(peer, ':');
	struct str s;

	if (strncmp(peer, "ip", 2) == 0 && colon != NULL)
		n = (size_t)(colon - peer);
	s = str_of(arena_dup(&c->flow.arena, peer, n));
	gpr_free(peer);
	return s.p != NULL ? s : STR("");
}

/* A caller's text that was not looked at yet may be no text. */
static bool is_storable(struct str s)
{
	return s.p != NULL && s.n > 0 && s.n <= CALL_TEXT_MAX && str_is_text(s);
}

static struct str object_of(struct rpc *c)
{
	char *text;

	if (is_storable(c->object))
		return c->object;
	if (id_is_zero(c->order) && id_is_zero(c->flow.subject))
		return STR("");
	text = arena_alloc(&c->flow.arena, ID_TEXT_SIZE);
	if (text == NULL)
		return STR("");
	return str_of(id_format(id_is_zero(c->order) ? c->flow.subject : c->order, text));
}

static struct call_note note_of(struct rpc *c, enum errc e)
{
	bool known = c->who.subject.p != NULL;
	struct str request = rpc_request_id(c);

	if (id_is_zero(c->record_id))
		c->record_id = id_new();
	return (struct call_note){.id = c->record_id,
				  .at_us = clock_wall_us() - (clock_mono_us() - c->arrived_us),
				  .tenant = known ? c->who.tenant : 0,
				  .actor = known ? c->who.subject : STR(""),
				  .role = known ? role_name(c->who.role) : STR(""),
				  .peer = address_of(c),
				  .method = c->served->method->path,
				  .request_id = is_storable(request) ? request : (struct str){0},
				  .object = object_of(c),
				  .status = (int)err_status(e),
				  .reason = !known && c->who.refused != NULL ? c->who.refused
									     : err_name(e),
				  .trace = c->flow.trace};
}

/* ---- steps ---- */

static int ask_begin(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);
	struct call_note n = note_of(c, ERR_OK);

	return c->server->opt.recorder->begin(fl, &n);
}

static int got_begin(struct flow *fl, const struct answer *a)
{
	(void)a;
	rpc_of(fl)->begun = true;
	return 0;
}

static int ask_record(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);
	struct call_note n;

	c->outcome = rpc_outcome(c);
	c->has_outcome = true;
	n = note_of(c, c->outcome);
	return c->server->opt.recorder->end(fl, &n);
}

static int got_record(struct flow *fl, const struct answer *a)
{
	(void)a;
	rpc_of(fl)->on_record = true;
	metric_add(METRIC_call_records, NULL, 1);
	return row(fl, LAST);
}

/* Nobody is told that it went well; what became of it goes on record later. */
static int ask_unrecorded(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);

	if (!c->has_outcome && c->begun)
		c->outcome = rpc_outcome(c);
	if (c->reply != NULL || (!c->begun && !fl->cut))
		c->refusal = ERR_NOT_RECORDED;
	if (c->reply != NULL)
		grpc_byte_buffer_destroy(c->reply);
	c->reply = NULL;
	if (!c->begun)
		c->outcome = rpc_outcome(c);
	c->has_outcome = true;
	return row(fl, LAST);
}

struct flow_step *rpc_record_steps(const struct flow_step *steps, int end)
{
	struct flow_step *all = mem_array((size_t)end + RECORD_ROWS, sizeof(*all));

	assert(end + LAST < 64);
	memcpy(all, steps, (size_t)end * sizeof(*all));
	all[end] = (struct flow_step){"record",  ask_record,       got_record,
				      RECORD_MS, end + UNRECORDED, TO(end + LAST)};
	all[end + BEGIN] = (struct flow_step){"begin",   ask_begin,        got_begin,
					      RECORD_MS, end + UNRECORDED, TO(0)};
	all[end + UNRECORDED] = (struct flow_step){"unrecorded", ask_unrecorded, NULL, 0,
						   end + LAST,   TO(end + LAST)};
	all[end + LAST] = (struct flow_step){.name = "done"};
	return all;
}

int rpc_record_first(int end)
{
	return end + BEGIN;
}

/* ---- refusals ---- */

/* A loud call that was not even decoded is on record when its caller is known. */
static bool is_wanted(const struct rpc *c, enum errc e)
{
	enum err_status s = err_status(e);

	if (c->server->opt.recorder == NULL || c->served->method == NULL || c->on_record)
		return false;
	if (s == ERR_STATUS_UNAUTHENTICATED || s == ERR_STATUS_PERMISSION_DENIED)
		return true;
	return c->served->policy != NULL && c->served->policy->loud && c->who.subject.p != NULL;
}

void rpc_record_answer(struct rpc *c, enum errc e)
{
	struct call_note n;

	if (!is_wanted(c, e))
		return;
	n = note_of(c, c->has_outcome ? c->outcome : e);
	c->server->opt.recorder->later(c->server->opt.recorder->arg, &n);
	c->on_record = true;
}
