/*
 * What the authors of RPCs see of a call: its request and state, and the answer they
 * build.  An answer's particulars live in the flow's arena; when that is full they are
 * left out, the error itself is not.
 */
#include "server/runtime/rpc.h"

#include <assert.h>
#include <stdio.h>

#include "core/base/config.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/status.h"

/* A path or a reason longer than this is cut: it is read by people. */
enum { PARTICULAR_MAX = 256 };

/* ---- reading ---- */

void *rpc_state(struct flow *fl)
{
	return rpc_of(fl)->state;
}

const void *rpc_request(struct flow *fl)
{
	return rpc_of(fl)->request;
}

struct app *rpc_app(struct flow *fl)
{
	return rpc_of(fl)->server->opt.app;
}

const struct identity *rpc_identity(struct flow *fl)
{
	return &rpc_of(fl)->who;
}

struct str rpc_metadata(struct flow *fl, const char *key)
{
	const grpc_metadata_array *md = &rpc_of(fl)->metadata;

	for (size_t i = 0; i < md->count; i++)
		if (grpc_slice_str_cmp(md->metadata[i].key, key) == 0)
			return (struct str){
				(const char *)GRPC_SLICE_START_PTR(md->metadata[i].value),
				GRPC_SLICE_LENGTH(md->metadata[i].value)};
	return (struct str){0};
}

void rpc_order(struct flow *fl, struct id order)
{
	rpc_of(fl)->order = order;
}

void rpc_object(struct flow *fl, struct str object)
{
	rpc_of(fl)->object = object;
}

bool rpc_grow(struct flow *fl, size_t bytes)
{
	struct rpc *c = rpc_of(fl);
	size_t most = (size_t)c->server->opt.cfg->arena_kib * 1024 * RPC_LARGE_FACTOR;
	size_t room = fl->arena.cap < most ? most - fl->arena.cap : 0;

	if (bytes > room)
		bytes = room; /* beyond, the arena itself says no */
	if (bytes > c->server->large_left)
		return false;
	c->server->large_left -= bytes;
	c->charged += bytes;
	fl->arena.cap += bytes;
	return true;
}

/* ---- answering ---- */

int rpc_ok(struct flow *fl, const ProtobufCMessage *response)
{
	struct rpc *c = rpc_of(fl);

	assert(c->served->method->kind == RPC_UNARY && c->reply == NULL);
	c->reply = rpc_pack(c, response);
	return c->reply != NULL ? c->served->end : rpc_fail(fl, ERR_TOO_LARGE);
}

int rpc_fail(struct flow *fl, enum errc e)
{
	assert(e != ERR_OK);
	rpc_of(fl)->refusal = e;
	fl->err = e;
	return FLOW_FAIL;
}

void rpc_forgive(struct flow *fl)
{
	fl->cause = ERR_OK;
}

/* NULL when the arena is full. */
static struct status_details *details_of(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);

	if (c->why == NULL)
		c->why = arena_alloc(&fl->arena, sizeof(*c->why));
	return c->why;
}

/* Cut between two characters, never inside one. */
static const char *keep_str(struct flow *fl, struct str s)
{
	size_t n = s.n;

	if (n > PARTICULAR_MAX)
		for (n = PARTICULAR_MAX; n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80; n--)
			;
	return arena_dup(&fl->arena, s.p != NULL ? s.p : "", n);
}

static const char *keep(struct flow *fl, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static const char *keep(struct flow *fl, const char *fmt, va_list ap)
{
	char text[2 * PARTICULAR_MAX];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	assert(n >= 0);
	return keep_str(fl, str_of(text));
}

int rpc_fail_text(struct flow *fl, enum errc e, const char *fmt, ...)
{
	struct status_details *d = details_of(fl);
	va_list ap;

	va_start(ap, fmt);
	if (d != NULL)
		d->text = keep(fl, fmt, ap);
	va_end(ap);
	return rpc_fail(fl, e);
}

void rpc_end_text(struct flow *fl, enum errc e, const char *fmt, ...)
{
	struct status_details *d = details_of(fl);
	va_list ap;

	va_start(ap, fmt);
	if (d != NULL)
		d->text = keep(fl, fmt, ap);
	va_end(ap);
	rpc_end(fl, e);
}

void rpc_vviolation(struct flow *fl, const char *why, const char *field_fmt, va_list ap)
{
	struct status_details *d = details_of(fl);
	const char *field, *reason;

	rpc_of(fl)->n_violations++;
	if (d == NULL || d->n_violations == RPC_VIOLATIONS_MAX)
		return;
	field = keep(fl, field_fmt, ap);
	reason = keep_str(fl, str_of(why));
	if (field == NULL || reason == NULL)
		return;
	d->violations[d->n_violations].field = field;
	d->violations[d->n_violations++].why = reason;
}

void rpc_violation(struct flow *fl, const char *why, const char *field_fmt, ...)
{
	va_list ap;

	va_start(ap, field_fmt);
	rpc_vviolation(fl, why, field_fmt, ap);
	va_end(ap);
}

bool rpc_has_violations(struct flow *fl)
{
	return rpc_of(fl)->n_violations > 0;
}

void rpc_fact(struct flow *fl, const char *key, const char *fmt, ...)
{
	struct status_details *d = details_of(fl);
	const char *value;
	va_list ap;

	if (d == NULL || d->n_facts == RPC_FACTS_MAX)
		return;
	va_start(ap, fmt);
	value = keep(fl, fmt, ap);
	va_end(ap);
	if (value == NULL)
		return;
	d->facts[d->n_facts].key = key;
	d->facts[d->n_facts++].value = value;
}

void rpc_about(struct flow *fl, const char *type, struct str name)
{
	struct status_details *d = details_of(fl);

	if (d == NULL)
		return;
	d->about_type = type;
	d->about_name = keep_str(fl, name);
}

void rpc_precondition(struct flow *fl, const char *type, struct str subject, const char *why)
{
	struct status_details *d = details_of(fl);

	if (d == NULL)
		return;
	d->pre_type = type;
	d->pre_subject = keep_str(fl, subject);
	d->pre_why = why;
}

void rpc_quota(struct flow *fl, struct str subject, const char *why_fmt, ...)
{
	struct status_details *d = details_of(fl);
	va_list ap;

	if (d == NULL)
		return;
	d->quota_subject = keep_str(fl, subject);
	va_start(ap, why_fmt);
	d->quota_why = keep(fl, why_fmt, ap);
	va_end(ap);
}

void rpc_pause(struct flow *fl, int64_t ms)
{
	struct status_details *d = details_of(fl);

	if (d != NULL)
		d->pause_ms = ms;
}
