/*
 * One mail: libcurl connects, and the four things SMTP wants said are said here.
 *
 *	connect, greeting, EHLO, STARTTLS, AUTH --> MAIL --> RCPT --> DATA --> content --> taken
 *	                libcurl's                             |                 |
 *	             nothing can happen                       +---- 4xx, 5xx ---+--> later, refused
 *
 * libcurl 7.88 could say them too, but it waits for the answers to the final dot and to
 * QUIT with the whole loop, and a mail given up half-way gets its final dot all the same.
 * So it hands over its connection (CURLOPT_CONNECT_ONLY), which is used for one mail.
 */
#include "core/http/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/http/mail_message.h"
#include "core/http/transfer.h"

enum {
	STATUS_MAX = 12,      /* "5.123.123" and its NUL */
	LINE_MAX_BYTES = 512, /* RFC 5321 4.5.3.1.5; what a longer one says at its end is lost */
	REPLY_LINES_MAX = 100,
	READ_BYTES = 2048,
};

enum stage { SAY_MAIL, SAY_RCPT, SAY_DATA, SAY_CONTENT, STAGES };

struct mail_call {
	struct transfer t; /* first */
	curl_socket_t fd;
	struct str say[STAGES];
	enum stage stage;
	struct str out; /* not sent yet, of say[stage] */
	char line[LINE_MAX_BYTES];
	size_t n;
	int lines; /* of this reply */
	int code;  /* the last word of the server */
	char status[STATUS_MAX];
};

static void call_free(struct mail_call *call)
{
	curl_easy_cleanup(call->t.easy);
	free(call);
}

/* ---- what the server says ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "5.1.1" at the start of a reply's text, if it stands there. */
static void read_status(struct str s, char ret[STATUS_MAX])
{
	size_t n = 0;
	int dots = 0;

	while (n < s.n && n < STATUS_MAX - 1 && (is_digit(s.p[n]) || (n > 0 && s.p[n] == '.')))
		dots += s.p[n++] == '.';
	ret[0] = '\0';
	if (dots == 2 && s.p[n - 1] != '.')
		(void)snprintf(ret, STATUS_MAX, "%.*s", (int)n, s.p);
}

/* One line of a reply, "550-5.1.1 text", "550 5.1.1 text" or "550"; false: it is none. */
static bool read_line(struct mail_call *call, struct str line)
{
	int code;

	if (line.n < 3 || !is_digit(line.p[0]) || !is_digit(line.p[1]) || !is_digit(line.p[2]))
		return false;
	code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	if (code < 200 || code > 599 || (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return false;
	call->code = code;
	read_status((struct str){line.p + 4, line.n > 4 ? line.n - 4 : 0}, call->status);
	return true;
}

/* ---- the end ---- */

/* RFC 4954 6: words about our credentials, which an operator can repair. */
static bool about_login(int code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

static void end(struct mail_call *call, enum errc err, enum mail_verdict verdict)
{
	struct mail_reply reply = {
		.verdict = verdict, .code = call->code, .status = str_of(call->status)};
	struct answer a = {.err = err, .body = &reply};
	size_t n;

	if (err == ERR_OK && call->fd != CURL_SOCKET_BAD) /* a courtesy, not waited for */
		(void)curl_easy_send(call->t.easy, "QUIT\r\n", 6, &n);
	transfer_count(&call->t, err, call->code);
	transfer_end(&call->t, &a);
	call_free(call);
}

/* No word of the server's, or none that can be understood. */
static void end_lost(struct mail_call *call, const char *why)
{
	log_debug("mail_failed", "host=%s sent=%d why=%s", LOG_Q(call->t.host), call->t.sent,
		  LOG_Q(why));
	end(call, call->t.sent ? ERR_HTTP_UNKNOWN : ERR_HTTP_UNREACHABLE, MAIL_LATER);
}

/* ---- talking ---- */

static void say_next(struct mail_call *call, enum stage stage)
{
	call->stage = stage;
	call->out = call->say[stage];
	if (stage == SAY_CONTENT)
		transfer_sent(&call->t);
}

/* A reply is whole.  False: the call has ended. */
static bool on_reply(struct mail_call *call)
{
	bool go_on = call->stage == SAY_DATA ? call->code == 354 : call->code / 100 == 2;

	if (call->code >= 400)
		end(call, ERR_OK,
		    call->code >= 500 && !about_login(call->code) ? MAIL_REFUSED : MAIL_LATER);
	else if (!go_on || call->out.n > 0) /* out of turn */
		end_lost(call, "the mail server does not speak SMTP");
	else if (call->stage == SAY_CONTENT)
		end(call, ERR_OK, MAIL_TAKEN);
	else {
		say_next(call, call->stage + 1);
		return true;
	}
	return false;
}

/* A line is whole.  False: the call has ended. */
static bool on_line(struct mail_call *call)
{
	bool more = call->n > 3 && call->line[3] == '-';

	if (!read_line(call, (struct str){call->line, call->n}) ||
	    ++call->lines > REPLY_LINES_MAX) {
		end_lost(call, "the mail server does not speak SMTP");
		return false;
	}
	call->n = 0;
	if (more)
		return true;
	call->lines = 0;
	return on_reply(call);
}

static bool hear(struct mail_call *call)
{
	char bytes[READ_BYTES];
	CURLcode result;
	size_t n;

	while ((result = curl_easy_recv(call->t.easy, bytes, sizeof(bytes), &n)) == CURLE_OK) {
		if (n == 0) {
			end_lost(call, "the mail server hung up");
			return false;
		}
		for (size_t i = 0; i < n; i++) {
			if (bytes[i] == '\n') {
				if (!on_line(call))
					return false;
			} else if (bytes[i] != '\r' && call->n < LINE_MAX_BYTES) {
				call->line[call->n++] = bytes[i];
			}
		}
	}
	if (result != CURLE_AGAIN)
		end_lost(call, curl_easy_strerror(result));
	return result == CURLE_AGAIN;
}

static bool speak(struct mail_call *call)
{
	CURLcode result = CURLE_OK;
	size_t n;

	while (call->out.n > 0 &&
	       (result = curl_easy_send(call->t.easy, call->out.p, call->out.n, &n)) == CURLE_OK)
		call->out = (struct str){call->out.p + n, call->out.n - n};
	if (result != CURLE_OK && result != CURLE_AGAIN)
		end_lost(call, curl_easy_strerror(result));
	return result == CURLE_OK || result == CURLE_AGAIN;
}

static void on_ready(struct transfer *t)
{
	struct mail_call *call = (struct mail_call *)(void *)t;

	/* Listen first: a server that has refused and hung up leaves nobody to speak to. */
	if (hear(call) && speak(call))
		transfer_watch(t, call->fd, call->out.n > 0);
}

/* Connected, or not; later also: late, or all of it closes. */
static void on_finish(struct transfer *t, CURLcode result)
{
	struct mail_call *call = (struct mail_call *)(void *)t;

	if (result != CURLE_OK && call->fd == CURL_SOCKET_BAD && call->code >= 400) {
		end(call, ERR_OK, MAIL_LATER); /* it speaks, and does not want us */
		return;
	}
	if (result == CURLE_OK)
		result = curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &call->fd);
	if (result != CURLE_OK || call->fd == CURL_SOCKET_BAD || t->op.given_up) {
		end_lost(call, curl_easy_strerror(result));
		return;
	}
	say_next(call, SAY_MAIL);
	if (speak(call))
		transfer_watch(t, call->fd, call->out.n > 0);
}

/* ---- before ---- */

/* While libcurl connects, it hands out the server's lines as headers. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct str line = {data, size * count};

	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	(void)read_line(arg, line);
	return size * count;
}

static void set_server(struct mail_call *call, const struct mail *m)
{
	const struct mail_server *s = m->server;
	CURL *e = call->t.easy;
	long tls = s->tls == MAIL_TLS_REQUIRED ? CURLUSESSL_ALL
		   : s->tls == MAIL_TLS_TRY    ? CURLUSESSL_TRY
					       : CURLUSESSL_NONE;

	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(e, CURLOPT_USE_SSL, tls);
	if (s->user != NULL && s->user[0] != '\0') {
		curl_easy_setopt(e, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, s->password);
	}
	/* The greeting counts as connecting, and careful servers are slow to give it. */
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)m->timeout_ms);
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
}

static bool set_words(struct mail_call *call, const struct mail *m, struct flow *fl)
{
	struct arena *a = &fl->arena;

	call->say[SAY_MAIL] =
		str_of(arena_printf(a, "MAIL FROM:<" STR_FMT ">\r\n", STR_ARG(m->from)));
	call->say[SAY_RCPT] = str_of(arena_printf(a, "RCPT TO:<" STR_FMT ">\r\n", STR_ARG(m->to)));
	call->say[SAY_DATA] = STR("DATA\r\n");
	call->say[SAY_CONTENT] = mail_message(a, m, &fl->trace);
	for (int i = 0; i < STAGES; i++)
		if (call->say[i].p == NULL)
			return false;
	return true;
}

static bool head_ok(const struct mail *m)
{
	/* The Message-ID has the form of an address; it is made of less here. */
	return mail_address_ok(m->from) && mail_address_ok(m->to) &&
	       mail_address_ok(m->message_id) && transfer_line_ok(m->subject) &&
	       str_is_text(m->subject) && transfer_line_ok(m->from_name) &&
	       str_is_text(m->from_name);
}

int mail_ask(struct flow *fl, struct http *h, const struct mail *m)
{
	const struct http_options *opt = http_options_of(h);
	struct mail_call *call;

	if (opt == NULL || !head_ok(m)) {
		fl->err = opt == NULL ? ERR_HTTP_UNREACHABLE : ERR_INVALID_ARGUMENT;
		return FLOW_FAIL;
	}
	call = mem_alloc(sizeof(*call));
	call->fd = CURL_SOCKET_BAD;
	transfer_init(&call->t, opt, m->server->url, on_finish);
	call->t.on_ready = on_ready;
	set_server(call, m);
	if (set_words(call, m, fl))
		return transfer_ask(fl, h, &call->t, m->timeout_ms);
	call_free(call);
	fl->err = ERR_TOO_LARGE;
	return FLOW_FAIL;
}

const struct mail_reply *mail_reply(const struct answer *a)
{
	return a->body;
}
