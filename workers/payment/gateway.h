/*
 * The payment gateway, Stripe's wire API (docs.stripe.com/api/payment_intents): requests
 * out, verdicts in.  Nothing else in orderd knows a gateway's words.
 */
#ifndef ORDERD_WORKERS_PAYMENT_GATEWAY_H
#define ORDERD_WORKERS_PAYMENT_GATEWAY_H

#include "core/base/id.h"
#include "core/base/str.h"
#include "core/flow/flow.h"
#include "sql.gen.h"
#include "workers/worker.h"

/* What an answer of the gateway means. */
enum gateway_verdict {
	GATEWAY_AUTHORIZED,      /* held for us */
	GATEWAY_CAPTURED,        /* taken */
	GATEWAY_CANCELED,        /* released, or expired */
	GATEWAY_DECLINED,        /* a definite no; `code` says why */
	GATEWAY_REQUIRES_ACTION, /* the customer has to confirm it; `action_url` says where, if told
				  */
	GATEWAY_OPEN,            /* known there, not decided yet */
	/* the payment is in another state than the request needs: look at it */
	GATEWAY_UNEXPECTED,
	GATEWAY_ABSENT, /* no such payment there */
	GATEWAY_FAILED, /* no verdict: fl->err says what to do, job_fail() was called */
};

struct gateway_answer {
	enum gateway_verdict verdict;
	struct str id;   /* of the payment intent; in the arena */
	struct str code; /* decline code */
	struct str action_url;
	int64_t amount_received;
	int64_t authorized_until_us; /* 0: not told */
};

struct gateway_payment {
	struct id attempt; /* the idempotency key comes from it */
	struct id order;
	int16_t group_no;
	int64_t amount_minor;
	struct str currency;
	struct str method_token;
	bool present; /* the customer may be asked to confirm it */
};

int gateway_ask_authorize(struct flow *fl, struct worker *w, const struct gateway_payment *p);
int gateway_ask_capture(struct flow *fl, struct worker *w, struct id attempt, struct str gateway_id,
			int64_t amount_minor);
int gateway_ask_cancel(struct flow *fl, struct worker *w, struct id attempt, struct str gateway_id);
int gateway_ask_read(struct flow *fl, struct worker *w, struct str gateway_id);

/*
 * What was created at the gateway since `since_us`, the newest first, a page at a time: those
 * older than `after`, "" for the first page.  Any flow may ask, it need not be a job's.
 */
enum { GATEWAY_PAGE = 100 };

struct gateway_page {
	struct gateway_seen_line *lines; /* in the arena */
	uint32_t n;
	bool more;
};

int gateway_ask_list(struct flow *fl, struct worker *w, int64_t since_us, struct str after);
/* ERR_NOT_FOUND: `after` is not known there any more. */
enum errc gateway_page(struct flow *fl, const struct answer *a, struct gateway_page *ret);

/* Read an answer of the others. */
struct gateway_answer gateway_answer(struct flow *fl, const struct answer *a);

#endif
