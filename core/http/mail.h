/*
 * Outgoing mail: one message to one address over SMTP, as a question of a flow.
 *
 * A word of the mail server is a good answer, "no" and "later" too.  ERR_HTTP_UNREACHABLE
 * means nothing was handed over; ERR_HTTP_UNKNOWN that the whole message may have been,
 * and its Message-ID is what tells the next try's copy from a second message.
 *
 * Loop thread only.
 */
#ifndef ORDERD_HTTP_MAIL_H
#define ORDERD_HTTP_MAIL_H

#include "core/http/http.h"

enum mail_tls {
	MAIL_TLS_REQUIRED, /* STARTTLS, or nothing is sent; smtps:// has it anyway */
	MAIL_TLS_TRY,      /* where the server offers it */
	MAIL_TLS_NONE,
};

enum { MAIL_ADDRESS_MAX = 254 }; /* RFC 5321 4.5.3.1.3, without its angle brackets */

struct mail_server {
	const char *url;             /* smtp(s)://host[:port][/name to say EHLO with] */
	const char *user, *password; /* NULL or "": none */
	enum mail_tls tls;
};

struct mail {
	const struct mail_server *server;
	struct str from_name; /* shown; absent or empty: none */
	struct str from, to;  /* addresses; the envelope's too */
	struct str subject;
	struct str message_id; /* left@right, without angle brackets */
	int64_t date_us;
	struct str text, html; /* UTF-8, lines end with LF */
	int timeout_ms;        /* of the whole mail */
};

enum mail_verdict {
	MAIL_TAKEN,   /* it is the server's duty now */
	MAIL_LATER,   /* not now, or not from us as we are set up */
	MAIL_REFUSED, /* not this message to this address, ever */
};

struct mail_reply {
	enum mail_verdict verdict;
	int code;          /* 250, 451, 550 */
	struct str status; /* RFC 3463, "5.1.1"; the rest of the words may name people */
};

/*
 * Send it; nothing of `m` but its server is needed after this has returned.  FLOW_FAIL with
 * ERR_INVALID_ARGUMENT when an address, the subject or the Message-ID cannot stand in a
 * mail's head: a line break there would write headers, or commands, of its own.
 */
int mail_ask(struct flow *fl, struct http *h, const struct mail *m);
const struct mail_reply *mail_reply(const struct answer *a); /* valid inside got() */

bool mail_url_ok(const char *url);
/* One address as it may stand in an envelope; ASCII, for few servers take another. */
bool mail_address_ok(struct str address);

/* "Shop <orders@shop.example>", or the address alone. */
bool mail_sender_parse(struct str sender, struct str *ret_name, struct str *ret_address);

#endif
