/*
 * The reconciler: page after page of the gateway's list, kept as rows; a page that cannot be
 * read is no page, and a gateway that is away makes it later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/metric.h"
#include "tests/unit/worker_world.h"
#include "workers/janitor/reconcile.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)

enum { PAGE_MS = 250, WALK_MS = 300000 };

#define SINCE INT64_C(1790000000000000)
#define UNTIL INT64_C(1791209600000000)

static const char LIST[] =
	"GET http://gateway/v1/payment_intents?limit=100&created[gte]=1790000000";
static const char INTENT[] =
	"{\"id\": \"pi_1\", \"amount\": 1290, \"amount_capturable\": 0, \"amount_received\": 1290,"
	" \"currency\": \"eur\", \"status\": \"succeeded\", \"created\": 1791000000,"
	" \"metadata\": {\"attempt_id\": \"01930102-0304-7001-8001-000000000000\"}}";

static struct reconciler *c;

static int set_up(void **state)
{
	if (world_set_up(state) != 0)
		return -1;
	world.w.cfg.audit_s = WALK_MS / 1000;
	c = reconciler_new(&world.w);
	world_turn();
	return 0;
}

static int tear_down(void **state)
{
	reconciler_stop(c);
	assert_true(reconciler_idle(c));
	reconciler_free(c);
	return world_tear_down(state);
}

static void walk_is_at(const char *after)
{
	struct question *q = world_asked("gateway_walk_on");

	assert_int_equal(HEAD(q, gateway_walk_on)->look_back_s, 14 * 86400);
	WORLD_ROWS(q, &(struct gateway_walk_on_row){
			      .since = SINCE, .until = UNTIL, .after = str_of(after)});
}

static const char *list_of(const char *intents, bool more)
{
	static char body[4096];

	(void)snprintf(body, sizeof(body),
		       "{\"object\": \"list\", \"data\": [%s], \"has_more\": %s}", intents,
		       more ? "true" : "false");
	return body;
}

static void page_is_kept(int64_t walked_until)
{
	WORLD_ROWS(world_asked("gateway_seen"),
		   &(struct gateway_seen_row){.walked_until = walked_until});
	WORLD_ROWS(world_asked("gateway_forget"), &(struct gateway_forget_row){.forgotten = 0});
}

static void assert_next_after(int64_t ms)
{
	world_asked_nothing();
	world_later(ms - 1);
	world_asked_nothing();
	world_later(1);
	(void)world_asked("gateway_walk_on");
}

static void ends_here(void)
{
	world_fails(world_asked("gateway_walk_on"), ERR_STORE_UNAVAILABLE);
}

static void payment_is_kept_as_it_is_shown(void **state)
{
	const struct gateway_seen_line *line;
	struct question *q;
	struct id attempt;

	(void)state;
	walk_is_at("");
	world_says(world_asked(LIST), 200, list_of(INTENT, false));
	q = world_asked("gateway_seen");
	assert_int_equal(q->unit.n_lines, 1);
	line = q->unit.lines;
	assert_true(str_eq(line->id, STR("pi_1")));
	assert_true(id_parse(STR("01930102-0304-7001-8001-000000000000"), &attempt));
	assert_true(id_eq(line->attempt_id, attempt));
	assert_int_equal(line->amount_minor, 1290);
	assert_int_equal(line->held_minor, 0);
	assert_int_equal(line->captured_minor, 1290);
	assert_true(str_eq(line->currency, STR("EUR")));
	assert_true(str_eq(line->status, STR("succeeded")));
	assert_int_equal(line->created_at, INT64_C(1791000000000000));
	assert_int_equal(HEAD(q, gateway_seen)->until, UNTIL);
	assert_null(HEAD(q, gateway_seen)->next_after.p);
	assert_true(HEAD(q, gateway_seen)->whole);
	page_is_kept(UNTIL);
	assert_int_equal(metric_value(METRIC_gateway_walked_timestamp_seconds, NULL),
			 UNTIL / 1000000);
	assert_next_after(WALK_MS);
	ends_here();
}

static void next_page_begins_behind_the_last_payment(void **state)
{
	char url[160];
	struct question *q;

	(void)state;
	walk_is_at("");
	world_says(world_asked(LIST), 200, list_of(INTENT, true));
	q = world_asked("gateway_seen");
	assert_true(str_eq(HEAD(q, gateway_seen)->next_after, STR("pi_1")));
	assert_false(HEAD(q, gateway_seen)->whole);
	page_is_kept(DB_NULL);
	assert_next_after(PAGE_MS);
	walk_is_at("pi_1");
	(void)snprintf(url, sizeof(url), "%s&starting_after=pi_1", LIST);
	world_says(world_asked(url), 200, list_of("", false));
	q = world_asked("gateway_seen");
	assert_int_equal(q->unit.n_lines, 0);
	assert_true(HEAD(q, gateway_seen)->whole);
	assert_true(str_eq(HEAD(q, gateway_seen)->after, STR("pi_1")));
	page_is_kept(UNTIL);
	assert_next_after(WALK_MS);
	ends_here();
}

static void payment_the_gateway_forgot_ends_the_walk_unfinished(void **state)
{
	char url[160];
	struct question *q;

	(void)state;
	walk_is_at("pi_gone");
	(void)snprintf(url, sizeof(url), "%s&starting_after=pi_gone", LIST);
	world_says(world_asked(url), 400, "{\"error\": {\"code\": \"resource_missing\"}}");
	q = world_asked("gateway_seen");
	assert_null(HEAD(q, gateway_seen)->next_after.p);
	assert_false(HEAD(q, gateway_seen)->whole);
	assert_int_equal(q->unit.n_lines, 0);
	page_is_kept(DB_NULL);
	assert_next_after(WALK_MS);
	ends_here();
}

/* Nothing is kept of it, and the walk stays where it is. */
static void fails_with(int status, const char *body)
{
	walk_is_at("");
	world_says(world_asked(LIST), status, body);
	assert_next_after(WALK_MS);
}

static void page_that_cannot_be_read_is_no_page(void **state)
{
	static const char *const spoiled[][2] = {
		{"\"id\": \"pi_1\"", "\"id\": \"\""},
		{"\"id\": \"pi_1\"", "\"id\": 7"},
		{"\"id\": \"pi_1\"", "\"id\": \"a\\u0001\""},
		{"\"amount\": 1290", "\"amount\": -1290"},
		{"\"amount\": 1290", "\"amount\": 9000000000000000000"},
		{"\"amount\": 1290", "\"amount\": 12.9"},
		{"\"amount_received\": 1290", "\"amount_received\": null"},
		{"\"amount_capturable\": 0", "\"amount_capturable\": \"0\""},
		{"\"currency\": \"eur\"", "\"currency\": \"euro\""},
		{"\"currency\": \"eur\"", "\"currency\": \"e r\""},
		{"\"status\": \"succeeded\"", "\"status\": null"},
		{"\"created\": 1791000000", "\"created\": 1791000000000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		char intent[1024];
		const char *at = strstr(INTENT, spoiled[i][0]);

		assert_non_null(at);
		(void)snprintf(intent, sizeof(intent), "%s, %.*s%s%s", INTENT, (int)(at - INTENT),
			       INTENT, spoiled[i][1], at + strlen(spoiled[i][0]));
		fails_with(200, list_of(intent, false));
	}
	fails_with(200, list_of("", true));
	fails_with(200, "{\"data\": []}");
	fails_with(200, "{\"data\": {}, \"has_more\": false}");
	fails_with(200, "not JSON");
	ends_here();
}

static void gateway_that_is_away_makes_it_later(void **state)
{
	(void)state;
	fails_with(500, "{}");
	fails_with(429, "{\"error\": {\"code\": \"rate_limit\"}}");
	fails_with(401, "{\"error\": {}}");
	walk_is_at("");
	world_fails(world_asked(LIST), ERR_HTTP_UNREACHABLE);
	assert_next_after(WALK_MS);
	ends_here();
}

static void attempt_that_is_no_id_is_none(void **state)
{
	static const char intent[] =
		"{\"id\": \"pi_1\", \"amount\": 1, \"amount_capturable\": 1, \"amount_received\": "
		"0,"
		" \"currency\": \"usd\", \"status\": \"requires_capture\", \"created\": 1,"
		" \"metadata\": {\"attempt_id\": \"' OR true\"}}";
	const struct gateway_seen_line *line;

	(void)state;
	walk_is_at("");
	world_says(world_asked(LIST), 200, list_of(intent, false));
	line = world_asked("gateway_seen")->unit.lines;
	assert_true(id_is_zero(line->attempt_id));
	assert_int_equal(line->held_minor, 1);
	page_is_kept(UNTIL);
}

static void stopped_reconciler_asks_nobody_else(void **state)
{
	(void)state;
	walk_is_at("");
	reconciler_stop(c);
	assert_false(reconciler_idle(c));
	world_says(world_asked(LIST), 200, list_of(INTENT, true));
	WORLD_ROWS(world_asked("gateway_seen"),
		   &(struct gateway_seen_row){.walked_until = DB_NULL});
	assert_true(reconciler_idle(c));
	world_later(WALK_MS * 10);
	world_asked_nothing();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(payment_is_kept_as_it_is_shown),
		TEST(next_page_begins_behind_the_last_payment),
		TEST(payment_the_gateway_forgot_ends_the_walk_unfinished),
		TEST(page_that_cannot_be_read_is_no_page),
		TEST(gateway_that_is_away_makes_it_later),
		TEST(attempt_that_is_no_id_is_none),
		TEST(stopped_reconciler_asks_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
