/*
 * Outgoing HTTP against a peer that misbehaves on purpose.  What matters most is the
 * line between "nothing was sent" and "it may have acted": money hangs on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/http/http.h"
#include "tests/integration/http_peer.h"
#include "tests/integration/loopback.h"

/* ---- the asking side: a flow of one question ---- */

enum { ASK, END };

struct caller {
	struct flow flow;
	struct http *http;
	struct http_request rq;
	char url[128];
	int status;
	char body[HTTP_PEER_BODY_MAX + 1];
	char retry_after[16], should_retry[16], request_id[16];
	int64_t took_ms;
	bool ended;
};

static struct loop *loop;
static struct http *http;
static int running; /* callers */

static struct caller *caller_of(struct flow *fl)
{
	return (struct caller *)(void *)fl; /* its first member */
}

static int ask_peer(struct flow *fl)
{
	return http_ask(fl, caller_of(fl)->http, &caller_of(fl)->rq);
}

static void copy(char *to, struct str s)
{
	(void)snprintf(to, 16, STR_FMT, STR_ARG(s));
}

static int got_peer(struct flow *fl, const struct answer *a)
{
	const struct http_response *r = http_response(a);
	struct caller *c = caller_of(fl);

	c->status = r->status;
	memcpy(c->body, r->body.p, r->body.n);
	c->body[r->body.n] = '\0';
	copy(c->retry_after, r->retry_after);
	copy(c->should_retry, r->should_retry);
	copy(c->request_id, r->request_id);
	return END;
}

static const struct flow_step patient_steps[] = {
	[ASK] = {"ask", ask_peer, got_peer, 20000, END, TO(END)},
	[END] = {"end", NULL, NULL, 0, END, 0},
};

enum { HASTE_MS = 500 }; /* long enough for a busy machine to have sent the request */

static const struct flow_step hasty_steps[] = {
	[ASK] = {"ask", ask_peer, got_peer, HASTE_MS, END, TO(END)},
	[END] = {"end", NULL, NULL, 0, END, 0},
};

static void on_done(struct flow *fl)
{
	caller_of(fl)->ended = true;
	caller_of(fl)->took_ms = (clock_mono_us() - fl->started_us) / 1000;
	arena_done(&fl->arena);
	if (--running == 0)
		loop_stop(loop);
}

static struct caller *caller_new(const char *method, const char *path)
{
	struct caller *c = calloc(1, sizeof(*c));

	(void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d%s", http_peer.port, path);
	arena_init(&c->flow.arena, 65536);
	c->http = http;
	c->rq = (struct http_request){.method = method, .url = c->url, .timeout_ms = 10000};
	if (strcmp(method, "POST") == 0)
		c->rq.body = STR("amount=1");
	c->flow.name = "http_test";
	c->flow.steps = patient_steps;
	c->flow.loop = loop;
	c->flow.done = on_done;
	return c;
}

static void start(struct caller *c)
{
	running++;
	flow_start(&c->flow);
}

/* One call from its beginning to its end. */
static struct caller *call(const char *method, const char *path)
{
	struct caller *c = caller_new(method, path);

	start(c);
	loop_run(loop);
	assert_true(c->ended);
	return c;
}

static void expect(struct caller *c, enum errc cause)
{
	assert_string_equal(err_name(c->flow.cause), err_name(cause));
	free(c);
}

/* ---- fixture ---- */

static void http_open(int connections)
{
	struct http_options opt = {
		.connections = connections, .body_cap = HTTP_PEER_BODY_MAX, .agent = "test"};

	http = http_new(loop, &opt);
}

static void on_http_closed(void *arg)
{
	(void)arg;
	http = NULL;
	loop_stop(loop);
}

static int set_up(void **state)
{
	(void)state;
	http_peer_start();
	loop = loop_new();
	http_open(8);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (http != NULL) {
		http_close(http, on_http_closed, NULL);
		loop_run(loop);
	}
	loop_free(loop);
	http_peer_stop();
	return 0;
}

/* ---- stories ---- */

static void request_is_served__status_and_body_arrive(void **state)
{
	struct caller *c = call("POST", "/ok");

	(void)state;
	assert_int_equal(c->status, 200);
	assert_string_equal(c->body, "hello");
	assert_string_equal(c->retry_after, "");
	expect(c, ERR_OK);
}

static void peer_refuses__status_is_a_good_answer_with_its_headers(void **state)
{
	struct caller *c = call("POST", "/busy");

	(void)state;
	assert_int_equal(c->status, 429);
	assert_string_equal(c->retry_after, "7");
	assert_string_equal(c->should_retry, "false");
	assert_string_equal(c->request_id, "req_1");
	expect(c, ERR_OK);
}

static void peer_redirects__redirect_is_not_followed(void **state)
{
	struct caller *c = call("GET", "/redirect");

	(void)state;
	assert_int_equal(c->status, 302);
	assert_int_equal(http_peer.requests, 1);
	expect(c, ERR_OK);
}

static void nobody_listens__nothing_was_sent(void **state)
{
	struct caller *c = caller_new("POST", "/ok");
	int port;
	int fd = bound_socket(&port); /* bound and not listening: nobody else can be there */

	(void)state;
	(void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d/ok", port);
	start(c);
	loop_run(loop);
	close(fd);
	expect(c, ERR_HTTP_UNREACHABLE);
}

static void tls_fails__nothing_was_sent(void **state)
{
	struct caller *c = caller_new("POST", "/ok");

	(void)state;
	(void)snprintf(c->url, sizeof(c->url), "https://127.0.0.1:%d/ok", http_peer.port);
	start(c);
	loop_run(loop);
	assert_int_equal(http_peer.requests, 0);
	expect(c, ERR_HTTP_UNREACHABLE);
}

static void scheme_is_not_http__nothing_was_sent(void **state)
{
	struct caller *c = caller_new("GET", "/ok");

	(void)state;
	(void)snprintf(c->url, sizeof(c->url), "file:///etc/hostname");
	start(c);
	loop_run(loop);
	expect(c, ERR_HTTP_UNREACHABLE);
}

static void peer_closes_after_reading__outcome_is_unknown(void **state)
{
	struct caller *c = call("POST", "/drop");

	(void)state;
	assert_int_equal(http_peer.requests, 1);
	expect(c, ERR_HTTP_UNKNOWN);
}

static void answer_is_cut_short__outcome_is_unknown(void **state)
{
	(void)state;
	expect(call("POST", "/half"), ERR_HTTP_UNKNOWN);
}

static void peer_is_silent__outcome_is_unknown(void **state)
{
	struct caller *c = caller_new("POST", "/hang");

	(void)state;
	c->rq.timeout_ms = 200;
	start(c);
	loop_run(loop);
	expect(c, ERR_HTTP_UNKNOWN);
}

/* libcurl would send it again on a new connection: a second label, a second charge. */
static void kept_connection_dies_under_a_post__it_is_not_sent_twice(void **state)
{
	(void)state;
	expect(call("POST", "/stale"), ERR_OK);
	expect(call("POST", "/stale"), ERR_HTTP_UNKNOWN);
	assert_int_equal(http_peer.requests, 2);
}

static void kept_connection_dies_under_an_empty_post__it_is_not_sent_twice(void **state)
{
	struct caller *c;

	(void)state;
	expect(call("POST", "/stale"), ERR_OK);
	c = caller_new("POST", "/stale");
	c->rq.body = (struct str){NULL, 0};
	start(c);
	loop_run(loop);
	expect(c, ERR_HTTP_UNKNOWN);
	assert_int_equal(http_peer.requests, 2);
}

static void kept_connection_dies_under_a_get__it_is_asked_again(void **state)
{
	(void)state;
	expect(call("GET", "/stale"), ERR_OK);
	expect(call("GET", "/stale"), ERR_OK);
	assert_int_equal(http_peer.requests, 3);
}

static void answer_is_over_the_cap__it_is_too_large(void **state)
{
	(void)state;
	expect(call("GET", "/big"), ERR_HTTP_TOO_LARGE);
	expect(call("GET", "/endless"), ERR_HTTP_TOO_LARGE);
}

static void header_holds_a_line_break__call_is_not_made(void **state)
{
	static const char *const headers[] = {"Idempotency-Key: a\r\nX: b", NULL};
	struct caller *c = caller_new("POST", "/ok");

	(void)state;
	c->rq.headers = headers;
	start(c);
	loop_run(loop);
	assert_int_equal(http_peer.requests, 0);
	expect(c, ERR_INTERNAL);
}

static void flow_gives_up_after_sending__outcome_is_unknown_and_the_call_ends(void **state)
{
	struct caller *c = caller_new("POST", "/hang");
	int64_t begun_ms = clock_mono_ms();

	(void)state;
	c->flow.steps = hasty_steps;
	start(c);
	loop_run(loop);
	assert_in_range(clock_mono_ms() - begun_ms, HASTE_MS, 5000); /* not the call's own 10 s */
	expect(c, ERR_HTTP_UNKNOWN);
}

static void flow_gives_up_before_sending__nothing_was_sent(void **state)
{
	struct caller *first;
	struct caller *second;

	(void)state;
	http_close(http, on_http_closed, NULL);
	loop_run(loop);
	http_open(1);
	first = caller_new("POST", "/hang");
	first->rq.timeout_ms = 4 * HASTE_MS;
	second = caller_new("POST", "/ok"); /* waits for the only connection */
	second->flow.steps = hasty_steps;
	start(first);
	start(second);
	loop_run(loop);
	assert_int_equal(http_peer.requests, 1);
	assert_true(second->took_ms < first->took_ms); /* it does not have to wait for the other */
	expect(first, ERR_HTTP_UNKNOWN);
	expect(second, ERR_HTTP_UNREACHABLE);
}

static void many_call_at_once__connections_stay_within_the_limit(void **state)
{
	struct caller *callers[10];
	int i;

	(void)state;
	http_close(http, on_http_closed, NULL);
	loop_run(loop);
	http_open(2);
	for (i = 0; i < 10; i++)
		callers[i] = caller_new("POST", "/ok");
	for (i = 0; i < 10; i++)
		start(callers[i]);
	loop_run(loop);
	assert_int_equal(http_peer.requests, 10);
	assert_in_range(http_peer.open_most, 1, 2);
	for (i = 0; i < 10; i++)
		expect(callers[i], ERR_OK);
}

static void closed_while_a_call_is_at_work__call_is_answered_first(void **state)
{
	struct caller *c = caller_new("POST", "/hang");

	(void)state;
	start(c);
	http_close(http, on_http_closed, NULL);
	loop_run(loop);
	if (http != NULL) /* the flow's end stopped the loop before the last handle was closed */
		loop_run(loop);
	assert_true(c->ended);
	/* Whether it was sent before is a matter of who was faster; the cause is true either way.
	 */
	expect(c, http_peer.requests == 0 && c->flow.cause == ERR_HTTP_UNREACHABLE
			  ? ERR_HTTP_UNREACHABLE
			  : ERR_HTTP_UNKNOWN);
}

static void form_holds_any_bytes__it_is_escaped_and_brackets_stay(void **state)
{
	struct arena arena;
	struct http_form f = {.arena = &arena};

	(void)state;
	arena_init(&arena, 8192);
	http_form_add(&f, "metadata[order_id]", STR("a b&c=d%\xc3\xa9+"));
	http_form_add_int(&f, "amount", -12);
	http_form_add(&f, "empty", STR(""));
	assert_false(f.failed);
	assert_true(str_eq((struct str){f.p, f.n},
			   STR("metadata[order_id]=a%20b%26c%3Dd%25%C3%A9%2B&amount=-12&empty=")));
	arena_done(&arena);
}

static void form_outgrows_its_arena__it_says_so(void **state)
{
	static char much[3000];
	struct arena arena;
	struct http_form f = {.arena = &arena};

	(void)state;
	arena_init(&arena, 4096);
	http_form_add(&f, "k", (struct str){much, sizeof(much)});
	assert_true(f.failed);
	arena_done(&arena);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(request_is_served__status_and_body_arrive),
		STORY(peer_refuses__status_is_a_good_answer_with_its_headers),
		STORY(peer_redirects__redirect_is_not_followed),
		STORY(nobody_listens__nothing_was_sent),
		STORY(tls_fails__nothing_was_sent),
		STORY(scheme_is_not_http__nothing_was_sent),
		STORY(peer_closes_after_reading__outcome_is_unknown),
		STORY(answer_is_cut_short__outcome_is_unknown),
		STORY(peer_is_silent__outcome_is_unknown),
		STORY(kept_connection_dies_under_a_post__it_is_not_sent_twice),
		STORY(kept_connection_dies_under_an_empty_post__it_is_not_sent_twice),
		STORY(kept_connection_dies_under_a_get__it_is_asked_again),
		STORY(answer_is_over_the_cap__it_is_too_large),
		STORY(header_holds_a_line_break__call_is_not_made),
		STORY(flow_gives_up_after_sending__outcome_is_unknown_and_the_call_ends),
		STORY(flow_gives_up_before_sending__nothing_was_sent),
		STORY(many_call_at_once__connections_stay_within_the_limit),
		STORY(closed_while_a_call_is_at_work__call_is_answered_first),
		cmocka_unit_test(form_holds_any_bytes__it_is_escaped_and_brackets_stay),
		cmocka_unit_test(form_outgrows_its_arena__it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
