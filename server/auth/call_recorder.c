#include "server/auth/call_recorder.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/store/record_chain.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/auth/call_notes.h"
#include "server/auth/policy.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum {
	WRITERS = 16,          /* rows on their way; what waits meanwhile shares their COMMIT */
	WRITE_MS = 5000,       /* one of them; a server that closes waits as long for all */
	AGAIN_MS = 1000,       /* before what could not be written is tried again */
	SWEEP_MS = 60000,      /* from one look for lapsed calls to the next */
	SWEEP_AGAIN_MS = 5000, /* when that came to nothing */
	LAPSED_MAX = 100,      /* taken in one look */
	HEADS_MS = 3600000,    /* from one log of the heads to the next */
	HEADS_MAX = 1000,      /* chains told */
	WRITER_ARENA = 8192,
	SWEEP_ARENA = 262144,
};

struct writer {
	struct flow flow;
	struct call_recorder *r;
	struct call_kept *what; /* NULL: idle */
	bool written;
};

struct head {
	int32_t tenant;
	struct record_chain end;
};

struct call_recorder {
	struct rpc_recorder door;
	struct app *app;
	struct call_notes *notes;
	struct writer writers[WRITERS];
	uint32_t busy; /* writers */
	struct timer next, sweep;
	struct flow sweeper;
	bool sweeping, closing, failed;
	struct head heads[HEADS_MAX]; /* as last read */
	uint32_t n_heads;
	int64_t heads_read_ms;   /* when that was */
	int64_t heads_logged_ms; /* 0: never yet */
	void (*on_closed)(void *arg);
	void *closed_arg;
};

/* ---- one row ---- */

/* Points into `n` and `trace`. */
static struct call_recorded_head head_of(const struct call_note *n, int64_t calls,
					 char trace[TRACE_TEXT_SIZE])
{
	return (struct call_recorded_head){.tenant = n->tenant,
					   .call_id = n->id,
					   .at = n->at_us,
					   .actor = n->actor,
					   .role = n->role,
					   .peer = n->peer,
					   .method = str_of(n->method),
					   .request_key = n->request_id,
					   .object = n->object,
					   .status = n->status,
					   .reason = str_of(n->reason),
					   .calls = calls,
					   .trace = str_of(trace_text(&n->trace, trace))};
}

static char *trace_room(struct flow *fl)
{
	return arena_alloc(&fl->arena, TRACE_TEXT_SIZE);
}

static int ask_begun(struct flow *fl, const struct call_note *n)
{
	char *trace = trace_room(fl);
	struct call_begun_head h;

	if (trace == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = (struct call_begun_head){.tenant = n->tenant,
				     .call_id = n->id,
				     .at = n->at_us,
				     .actor = n->actor,
				     .role = n->role,
				     .peer = n->peer,
				     .method = str_of(n->method),
				     .request_key = n->request_id,
				     .trace = str_of(trace_text(&n->trace, trace))};
	return store_ask(fl, rpc_app(fl)->store, call_begun_unit(&h, NULL, 0));
}

static int ask_recorded(struct flow *fl, const struct call_note *n)
{
	char *trace = trace_room(fl);
	struct call_recorded_head h;

	if (trace == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = head_of(n, 1, trace);
	return store_ask(fl, rpc_app(fl)->store, call_recorded_unit(&h, NULL, 0));
}

/* ---- writers ---- */

enum { WRITE, DONE };

static void pump(struct call_recorder *r);

static struct writer *writer_of(struct flow *fl)
{
	return (struct writer *)(void *)((char *)fl - offsetof(struct writer, flow));
}

static int ask_write(struct flow *fl)
{
	struct writer *w = writer_of(fl);
	struct call_recorded_head h;
	char *trace = trace_room(fl);

	assert(trace != NULL);
	h = head_of(&w->what->note, w->what->calls, trace);
	return store_ask(fl, w->r->app->store, call_recorded_unit(&h, NULL, 0));
}

static int got_write(struct flow *fl, const struct answer *a)
{
	(void)a;
	writer_of(fl)->written = true;
	metric_add(METRIC_call_records, NULL, 1);
	return DONE;
}

/* clang-format off */
static const struct flow_step write_steps[] = {
	/*          name     ask        got        ms        on error  next    */
	[WRITE] = {"write", ask_write, got_write, WRITE_MS, DONE,     TO(DONE)},
	[DONE]  = {"done"},
};

/* clang-format on */

static void on_written(struct flow *fl)
{
	struct writer *w = writer_of(fl);
	struct call_recorder *r = w->r;

	if (w->written)
		call_notes_done(r->notes, w->what);
	else
		call_notes_back(r->notes, w->what, clock_mono_ms() + AGAIN_MS);
	r->failed = !w->written;
	w->what = NULL;
	w->written = false;
	r->busy--;
	arena_reset(&fl->arena);
	pump(r);
}

static void start_writer(struct writer *w, struct call_kept *what)
{
	struct arena arena = w->flow.arena;

	w->what = what;
	w->r->busy++;
	w->flow = (struct flow){.name = "call_record",
				.steps = write_steps,
				.loop = w->r->app->loop,
				.arena = arena,
				.trace = what->note.trace,
				.done = on_written};
	flow_start(&w->flow);
}

static void finish_closing(struct call_recorder *r)
{
	void (*on_closed)(void *arg) = r->on_closed;
	void *arg = r->closed_arg;
	uint32_t lost = call_notes_count(r->notes);

	if (lost > 0) {
		metric_add(METRIC_call_records_lost, NULL, lost);
		log_error("call_records_lost", "rows=%" PRIu32, lost);
	}
	timer_clear(r->app->loop, &r->next);
	timer_clear(r->app->loop, &r->sweep);
	for (size_t i = 0; i < WRITERS; i++)
		arena_done(&r->writers[i].flow.arena);
	arena_done(&r->sweeper.arena);
	call_notes_free(r->notes);
	free(r);
	on_closed(arg);
}

/* Give idle writers what is due; or be closed, when there is nothing more that can be done. */
static void pump(struct call_recorder *r)
{
	int64_t now = clock_mono_ms(), due;
	bool give_up = r->closing && r->failed;
	struct call_kept *k;

	for (size_t i = 0; i < WRITERS && !give_up; i++) {
		if (r->writers[i].what != NULL)
			continue;
		if ((k = call_notes_take(r->notes, now)) == NULL)
			break;
		start_writer(&r->writers[i], k);
	}
	if (r->closing) {
		if (r->busy == 0 && !r->sweeping)
			finish_closing(r);
		return;
	}
	due = call_notes_due_ms(r->notes);
	if (r->busy < WRITERS && due != INT64_MAX)
		timer_set(r->app->loop, &r->next, due);
}

static void on_next(struct timer *t)
{
	pump((struct call_recorder *)(void *)((char *)t - offsetof(struct call_recorder, next)));
}

static void add_note(struct call_recorder *r, const struct call_note *n)
{
	int64_t now = clock_mono_ms(), due;

	if (!call_notes_add(r->notes, n, now))
		metric_add(METRIC_call_records_lost, NULL, 1);
	due = n->actor.n > 0 ? now : now + CALL_NOTES_FOLD_MS;
	if (r->busy < WRITERS && (r->next.slot == 0 || due <= now))
		timer_set(r->app->loop, &r->next, due);
}

static void on_later(void *arg, const struct call_note *n)
{
	add_note(arg, n);
}

/* ---- now and then ---- */

enum { LAPSED, HEADS, SWEPT };

static struct call_recorder *recorder_of(struct flow *fl)
{
	return (struct call_recorder *)(void *)((char *)fl -
						offsetof(struct call_recorder, sweeper));
}

static int ask_lapsed(struct flow *fl)
{
	struct calls_lapsed_head h = {.most = LAPSED_MAX};

	return store_ask(fl, recorder_of(fl)->app->store, calls_lapsed_unit(&h, NULL, 0));
}

/* The method's name as it lives in this program; one of another version's is not taken. */
static const char *path_of(struct flow *fl, struct str method)
{
	const char *path = arena_dup(&fl->arena, method.p, method.n);
	const struct policy_row *row = path != NULL ? policy_find(&policy_of_orderd, path) : NULL;

	return row != NULL ? row->path : "";
}

static int got_lapsed(struct flow *fl, const struct answer *a)
{
	struct call_recorder *r = recorder_of(fl);

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct calls_lapsed_row row = calls_lapsed_row(a, i);
		struct call_note n = {.id = row.call_id,
				      .at_us = row.at,
				      .tenant = row.tenant,
				      .actor = row.actor,
				      .role = row.role,
				      .peer = row.peer,
				      .method = path_of(fl, row.method),
				      .request_id = row.request_key,
				      .object = STR(""),
				      .status = (int)err_status(ERR_UNKNOWN_OUTCOME),
				      .reason = err_name(ERR_UNKNOWN_OUTCOME)};

		log_warn("call_lapsed", "method=%s tenant=%" PRId32, LOG_Q(n.method), n.tenant);
		add_note(r, &n);
	}
	return HEADS;
}

static int ask_heads(struct flow *fl)
{
	struct call_heads_head h = {.most = HEADS_MAX};

	return store_ask(fl, recorder_of(fl)->app->store, call_heads_unit(&h, NULL, 0));
}

static void log_heads(struct call_recorder *r, int64_t now)
{
	char hex[RECORD_HEX];

	r->heads_logged_ms = now;
	for (uint32_t i = 0; i < r->n_heads; i++) {
		const struct head *h = &r->heads[i];

		record_hex(h->end.hash, hex);
		log_info("call_record_head", "tenant=%" PRId32 " seq=%" PRId64 " hash=%s",
			 h->tenant, h->end.seq, hex);
	}
}

static void show_chains(struct show *s, const void *arg)
{
	const struct call_recorder *r = arg;
	char hex[RECORD_HEX];

	for (uint32_t i = 0; i < r->n_heads && show_row(s); i++) {
		record_hex(r->heads[i].end.hash, hex);
		show_int(s, r->heads[i].tenant);
		show_int(s, r->heads[i].end.seq);
		show_text(s, hex);
		show_int(s, clock_mono_ms() - r->heads_read_ms);
	}
}

static int got_heads(struct flow *fl, const struct answer *a)
{
	struct call_recorder *r = recorder_of(fl);
	int64_t now = clock_mono_ms();

	r->n_heads = 0;
	for (uint32_t i = 0; i < answer_rows(a) && i < HEADS_MAX; i++) {
		struct call_heads_row row = call_heads_row(a, i);
		struct head *h = &r->heads[r->n_heads];

		if (row.hash.n != DIGEST_BYTES)
			continue; /* a CHECK of the table's is gone; the audit tells */
		r->n_heads++;
		*h = (struct head){.tenant = row.tenant, .end.seq = row.seq};
		memcpy(h->end.hash, row.hash.p, DIGEST_BYTES);
	}
	r->heads_read_ms = now;
	if (r->heads_logged_ms == 0 || now - r->heads_logged_ms >= HEADS_MS)
		log_heads(r, now);
	return SWEPT;
}

/* clang-format off */
static const struct flow_step sweep_steps[] = {
	/*           name      ask         got         ms        on error  next                  */
	[LAPSED] = {"lapsed", ask_lapsed, got_lapsed, WRITE_MS, SWEPT,    TO(HEADS)},           
	[HEADS]  = {"heads",  ask_heads,  got_heads,  WRITE_MS, SWEPT,    TO(SWEPT)},
	[SWEPT]  = {"done"},
};

/* clang-format on */

static void on_swept(struct flow *fl)
{
	struct call_recorder *r = recorder_of(fl);

	r->sweeping = false;
	arena_reset(&fl->arena);
	if (!r->closing)
		timer_set(r->app->loop, &r->sweep,
			  clock_mono_ms() + (fl->cause == ERR_OK ? SWEEP_MS : SWEEP_AGAIN_MS));
	pump(r);
}

static void on_sweep(struct timer *t)
{
	struct call_recorder *r =
		(struct call_recorder *)(void *)((char *)t - offsetof(struct call_recorder, sweep));
	struct arena arena = r->sweeper.arena;

	r->sweeping = true;
	r->sweeper = (struct flow){.name = "call_sweep",
				   .steps = sweep_steps,
				   .loop = r->app->loop,
				   .arena = arena,
				   .done = on_swept};
	flow_start(&r->sweeper);
}

/* ---- start and end ---- */

struct call_recorder *call_recorder_new(struct app *app)
{
	struct call_recorder *r = mem_alloc(sizeof(*r));

	r->door = (struct rpc_recorder){ask_begun, ask_recorded, on_later, r};
	r->app = app;
	r->notes = call_notes_new();
	for (size_t i = 0; i < WRITERS; i++) {
		r->writers[i].r = r;
		arena_init(&r->writers[i].flow.arena, WRITER_ARENA);
	}
	arena_init(&r->sweeper.arena, SWEEP_ARENA);
	r->next.on_due = on_next;
	r->sweep.on_due = on_sweep;
	timer_set(app->loop, &r->sweep, clock_mono_ms());
	return r;
}

void call_recorder_offer(const struct call_recorder *r, struct show_board *b)
{
	show_offer(b, SHOW_chains, show_chains, r);
}

const struct rpc_recorder *call_recorder_door(const struct call_recorder *r)
{
	return &r->door;
}

void call_recorder_close(struct call_recorder *r, void (*on_closed)(void *arg), void *arg)
{
	r->on_closed = on_closed;
	r->closed_arg = arg;
	r->closing = true;
	r->failed = false;
	timer_clear(r->app->loop, &r->next);
	timer_clear(r->app->loop, &r->sweep);
	call_notes_hurry(r->notes);
	pump(r);
}
