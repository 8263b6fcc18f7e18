/*
 * Letters: every template with every kind of facts; what a customer or a carrier wrote
 * stays text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "workers/notification/letter.h"
#include "workers/notification/template_table.h"

static const struct {
	const char *kind, *template;
} events[] = {

#define X(kind, detail, template) {kind, #template},
	MAIL_EVENT_TABLE(X)
#undef X
};

static const struct letter_line two_lines[] = {
	{.title = {"Mug & <lid>", 11}, .sku = {"m-1", 3}, .quantity = 2, .unit_minor = 500},
	{.title = {"", 0}, .sku = {"pen-7", 5}, .quantity = 1, .unit_minor = 250},
};

static struct arena arena;
static struct letter letter;
static struct letter_facts facts;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	facts = (struct letter_facts){.template = STR("shipped"),
				      .kind = STR("shipped"),
				      .shop = STR("Caf\xc3\xa9 <Shop>"),
				      .name = STR("Ann O'Neil"),
				      .order_number = 1001,
				      .currency = STR("EUR"),
				      .total_minor = 123450,
				      .carrier = STR("Post"),
				      .tracking_code = STR("TR1"),
				      .tracking_url = STR("https://post.example/?a=1&b=2"),
				      .lines = two_lines,
				      .n_lines = 2,
				      .all_lines = 2};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void write_letter(void)
{
	const char *why = letter_write(&facts, &arena, &letter);

	if (why != NULL)
		fail_msg("%s", why);
}

static bool holds(struct str s, const char *part)
{
	return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static void shipped_letter_says_it_all__in_text_and_in_html(void **state)
{
	(void)state;
	write_letter();
	assert_true(str_eq(letter.subject, STR("Your order 1001 is on its way")));
	assert_true(holds(letter.text, "Hello Ann O'Neil,\n"));
	assert_true(holds(letter.text, "\n  2 x Mug & <lid>\n      EUR 5.00 each, EUR 10.00\n"));
	assert_true(holds(letter.text, "\n  1 x pen-7\n"));
	assert_true(holds(letter.text, "Total of the order: EUR 1,234.50\n"));
	assert_true(holds(letter.text, "Follow your parcel: https://post.example/?a=1&b=2\n"));
	assert_true(holds(letter.html, "Hello Ann O&#39;Neil,"));
	assert_true(holds(letter.html, "Mug &amp; &lt;lid&gt;"));
	assert_true(holds(letter.html, "Caf\xc3\xa9 &lt;Shop&gt;"));
	assert_true(holds(letter.html, "EUR 10.00"));
	assert_true(
		holds(letter.html, "href=\"https:&#x2F;&#x2F;post.example&#x2F;?a&#x3D;1&amp;b"));
	assert_false(holds(letter.html, "{{") || holds(letter.text, "{{"));
	assert_false(holds(letter.html, "more</td>"));
}

static void every_event_has_its_letter__whatever_is_missing(void **state)
{
	const struct letter_facts bare = {.currency = STR("JPY"), .shop = STR("s")};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		for (int partly = 0; partly < 2; partly++) {
			facts.kind = str_of(events[i].kind);
			facts.template = str_of(events[i].template);
			facts.partly = partly;
			write_letter();
			assert_true(holds(letter.text, "What happens next") ||
				    str_eq(facts.kind, STR("delivered")));
			assert_true(holds(letter.subject, "1001"));
			assert_null(memchr(letter.subject.p, '\n', letter.subject.n));
			assert_int_equal(holds(letter.text, "part of your order"),
					 partly && !str_eq(facts.template, STR("confirmed")) &&
						 !str_eq(facts.template, STR("cancelled")) &&
						 !str_eq(facts.template, STR("payment_problem")));
		}
		facts = bare;
		facts.kind = str_of(events[i].kind);
		facts.template = str_of(events[i].template);
		write_letter();
		assert_false(holds(letter.text, "Hello") || holds(letter.html, "href"));
		assert_true(letter.text.n > 100 && letter.html.n > 500);
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
}

static void payment_letter_says_what_to_do__by_what_happened(void **state)
{
	(void)state;
	facts.template = STR("payment_problem");
	facts.kind = STR("rejected");
	write_letter();
	assert_true(str_eq(letter.subject, STR("Your order 1001 could not be paid")));
	assert_true(holds(letter.text, "had to cancel it"));
	facts.kind = STR("payment_declined");
	write_letter();
	assert_true(holds(letter.text, "We keep your goods"));
	assert_false(holds(letter.text, "cancel"));
	facts.kind = STR("payment_action_required");
	facts.action_url = STR("https://bank.example/3ds");
	write_letter();
	assert_true(holds(letter.text, "Confirm the payment: https://bank.example/3ds"));
	facts.template = STR("cancelled");
	facts.kind = STR("expired");
	write_letter();
	assert_true(holds(letter.text, "not paid in time"));
}

static void url_is_not_of_the_web__it_is_left_out(void **state)
{
	static const char *const bad[] = {"javascript:alert(1)",
					  "data:text/html,x",
					  "//x.example",
					  "https://",
					  "https://x.example\r\n\x01",
					  "HTTPS"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		facts.tracking_url = str_of(bad[i]);
		write_letter();
		if (i == 4)
			assert_false(holds(letter.html, "x.example"));
		assert_false(holds(letter.html, "href") || holds(letter.text, "Follow"));
	}
}

static void order_is_long__what_is_not_listed_is_counted(void **state)
{
	static struct letter_line lines[LETTER_LINES_MAX + 5];
	static char title[1000];

	(void)state;
	memset(title, '<', sizeof(title));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		lines[i] = (struct letter_line){
			.title = {title, sizeof(title)}, .quantity = 1, .unit_minor = 1};
	facts.lines = lines;
	facts.n_lines = LETTER_LINES_MAX + 5;
	facts.all_lines = 5000;
	write_letter();
	assert_true(holds(letter.text, "and 4980 more"));
	assert_true(holds(letter.html, "and 4980 more"));
	assert_true(holds(letter.text, "<<<..."));
	assert_true(arena.used <
		    200 * 1024); /* within arena_kib's default, the wire form beside it */
}

static void no_room__there_is_no_letter(void **state)
{
	(void)state;
	arena_done(&arena);
	arena_init(&arena, 8192);
	assert_non_null(letter_write(&facts, &arena, &letter));
	facts.template = STR("nothing");
	assert_non_null(letter_write(&facts, &arena, &letter));
}

static void code_is_put_into_the_tracking_url__encoded(void **state)
{
	(void)state;
	assert_string_equal(letter_tracking_url(&arena, "https://x.example/{code}/y", STR("A1-b")),
			    "https://x.example/A1-b/y");
	assert_string_equal(letter_tracking_url(&arena, "https://x.example/?c={code}",
						STR("a b&c=/\"\xc3\xa9")),
			    "https://x.example/?c=a%20b%26c%3D%2F%22%C3%A9");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(shipped_letter_says_it_all__in_text_and_in_html),
		STORY(every_event_has_its_letter__whatever_is_missing),
		STORY(payment_letter_says_what_to_do__by_what_happened),
		STORY(url_is_not_of_the_web__it_is_left_out),
		STORY(order_is_long__what_is_not_listed_is_counted),
		STORY(no_room__there_is_no_letter),
		STORY(code_is_put_into_the_tracking_url__encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
