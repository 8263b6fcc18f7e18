#include "tests/unit/worker_world.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/store/unit.h"

struct world world;
const struct id JOB = {{1, 0x93, 1, 2, 3, 4, 0x70, 1, 0x80, 1}};
const struct id ORDER = {{1, 0x93, 1, 2, 3, 4, 0x70, 1, 0x80, 2}};
const struct id NEXT = {{1, 0x93, 1, 2, 3, 4, 0x70, 1, 0x80, 3}};

static struct question *open_questions[WORLD_QUESTIONS_MAX];
static uint32_t n_open;
static int64_t now_ms;

/* ---- in place of the backends ---- */

static struct question *question(struct flow *fl, const char *what)
{
	struct question *q = arena_alloc(&fl->arena, sizeof(*q));

	assert_non_null(q);
	assert_true(n_open < WORLD_QUESTIONS_MAX);
	op_ask(fl, &q->op);
	(void)snprintf(q->what, sizeof(q->what), "%s", what);
	open_questions[n_open++] = q;
	return q;
}

int store_ask(struct flow *fl, struct store *st, struct unit u)
{
	struct question *q = question(fl, u.kind->name);

	(void)st;
	q->unit = u;
	q->unit.head = arena_dup(&fl->arena, u.head, u.kind->head_size);
	assert_non_null(q->unit.head);
	return FLOW_WAIT;
}

struct rows {
	const void *rows;
	uint32_t n;
	size_t size;
};

uint32_t answer_rows(const struct answer *a)
{
	const struct rows *r = a->body;

	return r != NULL ? r->n : 0;
}

void unit_row_read(const struct unit_kind *kind, const struct answer *a, uint32_t i, void *ret_row)
{
	const struct rows *r = a->body;

	(void)kind;
	assert_true(r != NULL && i < r->n);
	memcpy(ret_row, (const char *)r->rows + i * r->size, r->size);
}

int http_ask(struct flow *fl, struct http *h, const struct http_request *rq)
{
	char what[160];

	(void)h;
	(void)snprintf(what, sizeof(what), "%s %s", rq->method, rq->url);
	question(fl, what)->http = rq;
	return FLOW_WAIT;
}

const struct http_response *http_response(const struct answer *a)
{
	return a->body;
}

int mail_ask(struct flow *fl, struct http *h, const struct mail *m)
{
	char what[160];

	(void)h;
	(void)snprintf(what, sizeof(what), "MAIL " STR_FMT, STR_ARG(m->to));
	question(fl, what)->mail = arena_dup(&fl->arena, m, sizeof(*m));
	return FLOW_WAIT;
}

const struct mail_reply *mail_reply(const struct answer *a)
{
	return a->body;
}

const char *queue_role_name(enum queue_role r)
{
	static const char *const names[ROLE_COUNT] = {"payment", "fulfillment", "shipping",
						      "notification", "janitor"};

	return names[r];
}

bool queue_is_up(const struct queue *q)
{
	(void)q;
	return world.queue_up;
}

void queue_forget_stock(struct queue *q, int32_t tenant, int64_t item)
{
	(void)q, (void)tenant, (void)item;
	world.forgotten++;
}

void queue_ring(struct queue *q, const struct ring *rings, uint32_t n)
{
	(void)q;
	for (uint32_t i = 0; i < n; i++) {
		assert_true(world.n_rings < WORLD_RINGS_MAX);
		world.rings[world.n_rings++] = rings[i];
	}
}

void queue_ack(struct queue *q, const struct delivery *d)
{
	(void)q;
	assert_true(id_eq(d->job, JOB));
	world.acks++;
}

void queue_hint(struct queue *q, struct id order)
{
	(void)q;
	assert_true(id_eq(order, ORDER));
	world.hints++;
}

void queue_beat(struct queue *q, const struct delivery *d)
{
	(void)q;
	assert_true(id_eq(d->job, JOB));
	world.beats++;
}

void intake_kick(struct intake *in)
{
	(void)in;
	world.kicks++;
}

void queue_know_generations(struct queue *q, const int64_t gen[ID_SHARDS])
{
	(void)q, (void)gen;
}

void queue_know_epoch(struct queue *q, int64_t epoch)
{
	(void)q;
	world.epoch_known = epoch;
}

int queue_ask_generations(struct flow *fl, struct queue *q, const int64_t gen[ID_SHARDS])
{
	(void)q, (void)gen;
	question(fl, "queue_ask_generations");
	return FLOW_WAIT;
}

uint64_t queue_generations_made(const struct answer *a)
{
	return *(const uint64_t *)a->body;
}

int queue_ask_epoch(struct flow *fl, struct queue *q, int64_t epoch)
{
	(void)q;
	world.epoch_asked = epoch;
	question(fl, "queue_ask_epoch");
	return FLOW_WAIT;
}

int queue_ask_streams(struct flow *fl, struct queue *q, enum queue_role role)
{
	char what[64];

	(void)q;
	(void)snprintf(what, sizeof(what), "queue_ask_streams %s", queue_role_name(role));
	question(fl, what);
	return FLOW_WAIT;
}

const struct stream_state *queue_streams(const struct answer *a)
{
	return a->body;
}

int queue_ask_expire_holds(struct flow *fl, struct queue *q)
{
	(void)q;
	question(fl, "queue_ask_expire_holds");
	return FLOW_WAIT;
}

/* ---- in place of workers/main.c ---- */

void worker_turn(struct worker *w)
{
	(void)w;
}

/* ---- questions and answers ---- */

struct question *world_asked(const char *what)
{
	if (n_open == 0)
		fail_msg("expected %s, but nothing is asked", what);
	if (strcmp(open_questions[0]->what, what) != 0)
		fail_msg("expected %s, but %s is asked", what, open_questions[0]->what);
	return open_questions[0];
}

bool world_asks(const char *what)
{
	return n_open > 0 && strcmp(open_questions[0]->what, what) == 0;
}

void world_asked_nothing(void)
{
	if (n_open > 0)
		fail_msg("expected nothing, but %s is asked", open_questions[0]->what);
}

static void answer(struct question *q, struct answer a)
{
	uint32_t i = 0;

	while (open_questions[i] != q)
		assert_true(++i < n_open);
	memmove(&open_questions[i], &open_questions[i + 1], (--n_open - i) * sizeof(q));
	op_answer(&q->op, &a);
	world_turn();
}

void world_rows(struct question *q, const void *rows, uint32_t n, size_t row_size)
{
	answer(q, (struct answer){.body = &(struct rows){rows, n, row_size}});
}

void world_no_rows(struct question *q)
{
	answer(q, (struct answer){.body = NULL});
}

void world_fails(struct question *q, enum errc err)
{
	answer(q, (struct answer){.err = err});
}

void world_says(struct question *q, int status, const char *body)
{
	answer(q, (struct answer){
			  .body = &(struct http_response){.status = status, .body = str_of(body)}});
}

void world_replies(struct question *q, enum mail_verdict verdict, int code, const char *status)
{
	answer(q, (struct answer){.body = &(struct mail_reply){.verdict = verdict,
							       .code = code,
							       .status = str_of(status)}});
}

void world_answers(struct question *q, const void *body)
{
	answer(q, (struct answer){.body = body});
}

/* ---- time, and the worker ---- */

void world_turn(void)
{
	(void)uv_run(loop_uv(world.w.loop), UV_RUN_NOWAIT);
}

void world_later(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, 0);
	world_turn();
}

void world_job(const char *kind, int32_t attempts, int32_t deaths)
{
	struct job_claim_row row = {.tenant = 7,
				    .order_id = ORDER,
				    .group_no = 1,
				    .groups = 2,
				    .kind = str_of(kind),
				    .epoch = 3,
				    .attempts = attempts,
				    .deaths = deaths};

	job_start(&world.w, &(struct delivery){.job = JOB, .role = job_kind_find(row.kind)->role});
	WORLD_ROWS(world_asked("job_claim"), &row);
}

int world_set_up(void **state)
{
	static char nowhere[] = "";
	static char gateway[] = "http://gateway", carrier[] = "http://carrier";
	static char sscc_prefix[] = "09520000";
	static char gateway_key[] = "sk_1", carrier_key[] = "ek_1";
	static char sender[] = "orders@shop.example", shop[] = "The Shop";
	static char track[] = "https://track.example/?c={code}";

	(void)state;
	log_open("worker_world", LOG_ERROR);
	now_ms = 1000;
	clock_fake(now_ms * 1000, 0);
	n_open = 0;
	world = (struct world){.queue_up = true};
	world.w = (struct worker){.roles = (1U << ROLE_COUNT) - 1,
				  .incarnation = NEXT,
				  .gateway_key = gateway_key,
				  .carrier_key = carrier_key,
				  .mail_from = {.name = shop, .address = sender},
				  .mail_server = {.url = "smtp://mail"},
				  .intake = (struct intake *)&world};
	world.w.cfg = (struct config){.concurrency = 2,
				      .arena_kib = 256,
				      .lease_s = 15,
				      .job_deadline_s = 120,
				      .max_attempts = 10,
				      .backoff_base_ms = 500,
				      .backoff_cap_s = 60,
				      .sweep_ms = 2000,
				      .http_timeout_ms = 10000,
				      .track_poll_ms = 300000,
				      .action_poll_ms = 60000,
				      .renew_ahead_s = 86400,
				      .payment_return_url = nowhere,
				      .smtp_timeout_ms = 30000,
				      .shop_name = shop,
				      .tracking_url = track,
				      .resource_retry_s = 300,
				      .sscc_prefix = sscc_prefix,
				      .gateway_url = gateway,
				      .carrier_url = carrier};
	world.w.loop = loop_new();
	return job_pool_open(&world.w) ? 0 : -1;
}

int world_tear_down(void **state)
{
	(void)state;
	world_turn();
	world_asked_nothing();
	job_pool_close(&world.w); /* asserts that no slot is busy */
	loop_free(world.w.loop);
	clock_fake(-1, -1);
	return 0;
}
