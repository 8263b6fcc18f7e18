/*
 * Outgoing mail against a mail server that misbehaves on purpose.  What matters most: a
 * word of its is told from silence, and what stands in a mail's head cannot become a
 * header or a command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/http/mail.h"
#include "tests/integration/loopback.h"
#include "tests/integration/mail_peer.h"

enum {
	PATIENCE_MS = 300,
	LONG_PATIENCE_MS = 2000, /* by then the peer has the content, however busy the machine is */
	TIMEOUT_MS = 40000,      /* much longer than what is not waited for in vain */
	MUCH = 16 << 20,
};

/* ---- the asking side: a flow of one question ---- */

enum { ASK, END };

struct sender {
	struct flow flow;
	struct http *http;
	struct mail_server server;
	struct mail mail;
	char url[128];
	struct mail_reply reply;
	char status[16];
	int64_t took_ms;
};

static struct loop *loop;
static struct http *http;
static struct sender sender;

static int ask_mail(struct flow *fl)
{
	(void)fl;
	return mail_ask(fl, sender.http, &sender.mail);
}

static int got_mail(struct flow *fl, const struct answer *a)
{
	(void)fl;
	sender.reply = *mail_reply(a);
	(void)snprintf(sender.status, sizeof(sender.status), STR_FMT, STR_ARG(sender.reply.status));
	return END;
}

static const struct flow_step steps[] = {
	[ASK] = {"ask", ask_mail, got_mail, 2 * TIMEOUT_MS, END, TO(END)},
	[END] = {"end", NULL, NULL, 0, END, 0},
};

static void on_done(struct flow *fl)
{
	sender.took_ms = (clock_mono_us() - fl->started_us) / 1000;
	arena_done(&fl->arena);
	loop_stop(loop);
}

static void prepare(const char *to)
{
	sender = (struct sender){.http = http};
	(void)snprintf(sender.url, sizeof(sender.url), "smtp://127.0.0.1:%d/shop.example",
		       peer.port);
	sender.server = (struct mail_server){.url = sender.url, .tls = MAIL_TLS_NONE};
	sender.mail = (struct mail){.server = &sender.server,
				    .from_name = STR("The \"Shop\""),
				    .from = STR("orders@shop.example"),
				    .to = str_of(to),
				    .subject = STR("Order 7 is on its way"),
				    .message_id = STR("0190a1b2@shop.example"),
				    .date_us = INT64_C(1764063000123456),
				    .text = STR("Hello,\n.a dot\n"),
				    .html = STR("<p>Hello</p>\n"),
				    .timeout_ms = TIMEOUT_MS};
	arena_init(&sender.flow.arena, 65536);
	sender.flow.name = "mail_test";
	sender.flow.steps = steps;
	sender.flow.loop = loop;
	sender.flow.done = on_done;
}

static enum errc run(void)
{
	flow_start(&sender.flow);
	loop_run(loop);
	return sender.flow.cause;
}

static enum errc send_to(const char *to)
{
	prepare(to);
	return run();
}

#define EXPECT(cause, is) assert_string_equal(err_name(cause), err_name(is))

static void expect_reply(enum mail_verdict verdict, int code, const char *status)
{
	assert_int_equal(sender.reply.verdict, verdict);
	assert_int_equal(sender.reply.code, code);
	assert_string_equal(sender.status, status);
	assert_in_range(sender.took_ms, 0, TIMEOUT_MS / 2); /* nobody waits for an answer to QUIT */
}

/* ---- fixture ---- */

static int set_up(void **state)
{
	struct http_options opt = {.connections = 8, .body_cap = 4096, .agent = "test"};

	(void)state;
	peer_start();
	loop = loop_new();
	http = http_new(loop, &opt);
	return 0;
}

static void on_http_closed(void *arg)
{
	(void)arg;
	http = NULL;
	loop_stop(loop);
}

static int tear_down(void **state)
{
	(void)state;
	if (http != NULL) {
		http_close(http, on_http_closed, NULL);
		loop_run(loop);
	}
	loop_free(loop);
	peer_done();
	return 0;
}

/* ---- stories ---- */

static void mail_is_taken__envelope_and_head_are_ours_and_dots_are_kept(void **state)
{
	(void)state;
	EXPECT(send_to("ann@x.example"), ERR_OK);
	peer_stop();
	expect_reply(MAIL_TAKEN, 250, "2.0.0");
	assert_int_equal(peer.mails, 1);
	assert_int_equal(peer.quits, 1);
	assert_true(heard("EHLO shop.example\r\n"));
	assert_true(heard("MAIL FROM:<orders@shop.example>\r\n"));
	assert_true(heard("RCPT TO:<ann@x.example>\r\n"));
	assert_true(heard("Date: Tue, 25 Nov 2025 09:30:00 +0000\r\n"));
	assert_true(heard("From: \"The \\\"Shop\\\"\" <orders@shop.example>\r\n"));
	assert_true(heard("To: <ann@x.example>\r\n"));
	assert_true(heard("Subject: Order 7 is on its way\r\n"));
	assert_true(heard("Message-ID: <0190a1b2@shop.example>\r\n"));
	assert_true(heard("Auto-Submitted: auto-generated\r\n"));
	assert_true(heard("Content-Type: multipart/alternative; boundary=\"=_orderd\"\r\n"));
	assert_true(heard("Content-Transfer-Encoding: quoted-printable\r\n"));
	assert_true(heard("Hello,\r\n=2Ea dot\r\n"));
}

static void subject_is_not_ascii__it_goes_in_encoded_words_of_whole_characters(void **state)
{
	(void)state;
	prepare("ann@x.example");
	sender.mail.subject =
		STR("Bestellung 7 ist unterwegs: Grüße aus Köln, 東京 und überall her");
	sender.mail.from_name = STR("Café");
	EXPECT(run(), ERR_OK);
	peer_stop();
	assert_true(heard("From: =?UTF-8?B?Q2Fmw6k=?= <orders@shop.example>\r\n"));
	assert_true(heard(
		"Subject: =?UTF-8?B?QmVzdGVsbHVuZyA3IGlzdCB1bnRlcndlZ3M6IEdyw7zDn2UgYXVz?=\r\n"
		" =?UTF-8?B?IEvDtmxuLCDmnbHkuqwgdW5kIMO8YmVyYWxsIGhlcg==?=\r\n"));
}

static void server_greylists__mail_is_for_later(void **state)
{
	(void)state;
	EXPECT(send_to("grey@x.example"), ERR_OK);
	expect_reply(MAIL_LATER, 451, "4.7.1");
	EXPECT(send_to("dot451@x.example"), ERR_OK);
	expect_reply(MAIL_LATER, 451, "4.3.0");
}

static void server_knows_no_such_user__mail_is_refused(void **state)
{
	(void)state;
	EXPECT(send_to("nobody@x.example"), ERR_OK);
	expect_reply(MAIL_REFUSED, 550, "5.1.1");
	assert_int_equal(peer.mails, 0);
}

static void server_refuses_the_content__mail_is_refused(void **state)
{
	(void)state;
	EXPECT(send_to("dot554@x.example"), ERR_OK);
	expect_reply(MAIL_REFUSED, 554, "5.7.1");
}

/* An operator's mistake must not cost customers their mails. */
static void server_does_not_want_us__mail_is_for_later(void **state)
{
	(void)state;
	EXPECT(send_to("login@x.example"), ERR_OK);
	expect_reply(MAIL_LATER, 530, "5.7.0");
	peer.greeting = "554 5.3.2 not today\r\n";
	EXPECT(send_to("ann@x.example"), ERR_OK);
	expect_reply(MAIL_LATER, 554, "5.3.2");
	peer.greeting = "220 x.example\r\n";
	peer.ehlo = "250-x.example\r\n250 AUTH PLAIN\r\n";
	prepare("ann@x.example");
	sender.server.user = "shop";
	sender.server.password = "wrong";
	EXPECT(run(), ERR_OK);
	expect_reply(MAIL_LATER, 535, "5.7.8");
	assert_int_equal(peer.mails, 0);
}

static void nobody_listens__nothing_was_sent(void **state)
{
	int port;
	int fd = bound_socket(&port); /* bound and not listening: nobody else can be there */

	(void)state;
	prepare("ann@x.example");
	(void)snprintf(sender.url, sizeof(sender.url), "smtp://127.0.0.1:%d", port);
	EXPECT(run(), ERR_HTTP_UNREACHABLE);
	close(fd);
}

static void tls_is_required_and_not_offered__nothing_was_sent(void **state)
{
	(void)state;
	prepare("ann@x.example");
	sender.server.tls = MAIL_TLS_REQUIRED;
	EXPECT(run(), ERR_HTTP_UNREACHABLE);
	peer_stop();
	assert_false(heard("MAIL FROM"));
}

static void server_talks_nonsense__nothing_was_sent(void **state)
{
	static char endless[64 * 200 + 1], lines[8 * 200 + 1];
	static const char *const nonsense[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
					       "\r\n",
					       "25\r\n",
					       "\n",
					       "250\n354 already\n",
					       "354 too early\r\n",
					       "999999\r\n",
					       endless,
					       lines};
	size_t i;

	(void)state;
	memset(endless, '2', sizeof(endless) - 1);
	memcpy(endless + sizeof(endless) - 3, "\r\n", 2);
	for (i = 0; i < 200; i++)
		memcpy(lines + 8 * i, "250-ok\r\n", 8);
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		peer.rcpt_reply = nonsense[i];
		prepare("ann@x.example");
		sender.mail.timeout_ms = PATIENCE_MS;
		EXPECT(run(), ERR_HTTP_UNREACHABLE);
	}
	assert_int_equal(peer.mails, 0);
}

/* "550-5.1.1 first" CR LF "550 5.1.1 second" counts once, with its last line. */
static void reply_has_many_lines__the_last_one_counts(void **state)
{
	(void)state;
	peer.rcpt_reply = "550-no status here\r\n550-5.9.9 nor the last\r\n550 5.1.1 gone\r\n";
	EXPECT(send_to("ann@x.example"), ERR_OK);
	expect_reply(MAIL_REFUSED, 550, "5.1.1");
}

static void message_is_large__all_of_it_arrives(void **state)
{
	static char much[MUCH];

	(void)state;
	memset(much, 'x', sizeof(much));
	prepare("ann@x.example");
	arena_done(&sender.flow.arena);
	arena_init(&sender.flow.arena, (size_t)8 * MUCH);
	sender.mail.text = (struct str){much, sizeof(much)};
	EXPECT(run(), ERR_OK);
	expect_reply(MAIL_TAKEN, 250, "2.0.0");
	assert_true(peer.taken > MUCH);
}

static void tls_is_only_tried__mail_goes_without(void **state)
{
	(void)state;
	prepare("ann@x.example");
	sender.server.tls = MAIL_TLS_TRY;
	EXPECT(run(), ERR_OK);
	expect_reply(MAIL_TAKEN, 250, "2.0.0");
}

static void server_leaves_before_the_content__nothing_was_sent(void **state)
{
	(void)state;
	EXPECT(send_to("gone@x.example"), ERR_HTTP_UNREACHABLE);
}

static void server_is_silent_before_the_content__nothing_was_sent_in_time(void **state)
{
	(void)state;
	prepare("silent@x.example");
	sender.mail.timeout_ms = PATIENCE_MS;
	EXPECT(run(), ERR_HTTP_UNREACHABLE);
	assert_in_range(sender.took_ms, PATIENCE_MS - 1, TIMEOUT_MS / 2); /* in whole ms */
}

static void server_leaves_after_the_dot__outcome_is_unknown(void **state)
{
	(void)state;
	EXPECT(send_to("drop@x.example"), ERR_HTTP_UNKNOWN);
	assert_int_equal(peer.mails, 1);
}

static void server_is_silent_after_the_dot__outcome_is_unknown_in_time(void **state)
{
	(void)state;
	prepare("hang@x.example");
	sender.mail.timeout_ms = LONG_PATIENCE_MS;
	EXPECT(run(), ERR_HTTP_UNKNOWN);
	assert_int_equal(peer.mails, 1);
	assert_in_range(sender.took_ms, LONG_PATIENCE_MS - 1, TIMEOUT_MS / 2);
}

static void head_holds_a_line_break_or_nul__mail_is_not_sent(void **state)
{
	const struct str bad[] = {
		STR("a@x.example>\r\nRCPT TO:<b@x.example"),
		STR("a\n@x.example"),
		STR("a\r@x.example"),
		STR("a\0@x.example"),
		STR("a@x.example> NOTIFY=NEVER"),
		STR("a@x.example,b@x.example"),
		STR("a b@x.example"),
		STR("<a@x.example>"),
		STR("\xc3\xa9@x.example"),
		STR("ax.example"),
		STR("@x.example"),
		STR("a@"),
		STR(""),
		{NULL, 0},
	};
	const struct str broken[] = {STR("a\r\nBcc: b@x.example"), STR("a\nBcc: b@x.example"),
				     STR("a\rb"), STR("nul\0here"), STR("\xff")};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		prepare("ann@x.example");
		sender.mail.to = bad[i];
		EXPECT(run(), ERR_INVALID_ARGUMENT);
		prepare("ann@x.example");
		sender.mail.from = bad[i];
		EXPECT(run(), ERR_INVALID_ARGUMENT);
		prepare("ann@x.example");
		sender.mail.message_id = bad[i];
		EXPECT(run(), ERR_INVALID_ARGUMENT);
	}
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		prepare("ann@x.example");
		sender.mail.subject = broken[i];
		EXPECT(run(), ERR_INVALID_ARGUMENT);
		prepare("ann@x.example");
		sender.mail.from_name = broken[i];
		EXPECT(run(), ERR_INVALID_ARGUMENT);
	}
	peer_stop();
	assert_int_equal(peer.n, 0);
}

static void close_when_sent(struct timer *t)
{
	if (sender.flow.op != NULL && sender.flow.op->late == ERR_HTTP_UNKNOWN)
		http_close(http, on_http_closed, NULL);
	else
		timer_set(loop, t, clock_mono_ms() + 1);
}

static void closed_while_a_mail_is_at_work__mail_is_answered_first(void **state)
{
	struct timer timer = {.on_due = close_when_sent};

	(void)state;
	prepare("hang@x.example");
	timer_set(loop, &timer, clock_mono_ms() + 1);
	EXPECT(run(), ERR_HTTP_UNKNOWN);
	while (http != NULL)
		loop_run(loop);
}

static void mails_follow_each_other__connections_are_given_back(void **state)
{
	struct http_options opt = {.connections = 1, .body_cap = 4096, .agent = "test"};
	int i;

	(void)state;
	http_close(http, on_http_closed, NULL);
	loop_run(loop);
	http = http_new(loop, &opt);
	for (i = 0; i < 20; i++)
		EXPECT(send_to(i % 2 == 0 ? "ann@x.example" : "nobody@x.example"), ERR_OK);
	assert_int_equal(peer.mails, 10);
}

static void message_outgrows_the_arena__mail_is_not_sent(void **state)
{
	static char much[65536];

	(void)state;
	prepare("ann@x.example");
	memset(much, 'x', sizeof(much));
	sender.mail.text = (struct str){much, sizeof(much)};
	EXPECT(run(), ERR_TOO_LARGE);
}

static void settings_are_read__name_and_address_are_told_apart(void **state)
{
	struct str name, address;

	(void)state;
	assert_true(mail_sender_parse(STR("A Shop <o@shop.example>"), &name, &address));
	assert_true(str_eq(name, STR("A Shop")) && str_eq(address, STR("o@shop.example")));
	assert_true(mail_sender_parse(STR("o@shop.example"), &name, &address));
	assert_true(str_eq(name, STR("")) && str_eq(address, STR("o@shop.example")));
	assert_false(mail_sender_parse(STR("A Shop"), &name, &address));
	assert_false(mail_sender_parse(STR("A Shop <o@shop.example"), &name, &address));
	assert_false(mail_sender_parse(STR("A\nShop <o@shop.example>"), &name, &address));
	assert_true(mail_url_ok("smtp://mail.example"));
	assert_true(mail_url_ok("smtps://mail.example:465/shop.example"));
	assert_false(mail_url_ok("http://mail.example"));
	assert_false(mail_url_ok("smtp://user:secret@mail.example"));
	assert_false(mail_url_ok("smtp://mail.example/a/b"));
	assert_false(mail_url_ok("smtp://"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(mail_is_taken__envelope_and_head_are_ours_and_dots_are_kept),
		STORY(subject_is_not_ascii__it_goes_in_encoded_words_of_whole_characters),
		STORY(server_greylists__mail_is_for_later),
		STORY(server_knows_no_such_user__mail_is_refused),
		STORY(server_refuses_the_content__mail_is_refused),
		STORY(server_does_not_want_us__mail_is_for_later),
		STORY(nobody_listens__nothing_was_sent),
		STORY(tls_is_required_and_not_offered__nothing_was_sent),
		STORY(tls_is_only_tried__mail_goes_without),
		STORY(server_talks_nonsense__nothing_was_sent),
		STORY(reply_has_many_lines__the_last_one_counts),
		STORY(message_is_large__all_of_it_arrives),
		STORY(server_leaves_before_the_content__nothing_was_sent),
		STORY(server_is_silent_before_the_content__nothing_was_sent_in_time),
		STORY(server_leaves_after_the_dot__outcome_is_unknown),
		STORY(server_is_silent_after_the_dot__outcome_is_unknown_in_time),
		STORY(head_holds_a_line_break_or_nul__mail_is_not_sent),
		STORY(closed_while_a_mail_is_at_work__mail_is_answered_first),
		STORY(mails_follow_each_other__connections_are_given_back),
		STORY(message_outgrows_the_arena__mail_is_not_sent),
		cmocka_unit_test(settings_are_read__name_and_address_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
