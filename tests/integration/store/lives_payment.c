/* What a life knows of money. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "books.h"
#include "lives_inside.h"

enum { LONG_AGO = 1 }; /* when authorizations end: all are to be renewed at once */

struct job begin(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct payment_begin_head h = {AT_JOB(l, j), .attempt_id = fresh_id()};

	l->ask(l, payment_begin_unit(&h, NULL, 0));
	l->attempt = h.attempt_id;
	return j;
}

void authorize(struct life *l, struct job j)
{
	struct payment_found_head found = {AT_JOB(l, j), .attempt_id = l->attempt,
					   .gateway_id = STR("pi_1")};
	struct payment_authorized_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					    .gateway_id = STR("pi_1"), .authorized_until = LONG_AGO,
					    .void_job = fresh_id()};
	struct payment_authorized_line pick = {.group_no = 1, .job_id = fresh_id()};
	struct job_extend_head extend = {.job_id = j.id, .epoch = j.epoch, .lease_s = LONG_S};

	l->ask(l, job_extend_unit(&extend, NULL, 0));
	l->ask(l, payment_found_unit(&found, NULL, 0));
	l->ask(l, payment_authorized_unit(&h, &pick, 1));
}

void give_money_back(struct life *l)
{
	struct job j = claim(l, "payment.void");
	struct payment_voided_head voided = {AT_JOB(l, j), .attempt_id = l->attempt,
					     .gateway_ref = STR("vo_1")};

	l->ask(l, payment_voided_unit(&voided, NULL, 0));
}

void decline(struct life *l, struct job j)
{
	struct payment_declined_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					  .decline_code = STR("no_money")};
	struct payment_declined_line undo = {.group_no = 1, .job_id = fresh_id()};

	l->ask(l, payment_declined_unit(&h, &undo, 1));
}

void await_customer(struct life *l, struct job j)
{
	struct payment_action_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					.gateway_id = STR("pi_1"),
					.action_url = STR("https://bank.example")};

	l->ask(l, payment_action_unit(&h, NULL, 0));
}

struct job look_again(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct payment_begin_head h = {AT_JOB(l, j), .attempt_id = fresh_id()};

	l->ask(l, payment_begin_unit(&h, NULL, 0));
	return j;
}

void bring_another_card(struct life *l)
{
	struct payment_retry_head h = {.tenant = 1,
				       .order_id = l->order,
				       .request_method = 7,
				       .request_key = STR("retry"),
				       .fingerprint = STR("01234567890123456789012345678901"),
				       .method_token = STR("another"),
				       .fallback_methods = STR(""),
				       .actor = STR("clerk")};

	l->ask(l, payment_retry_unit(&h, NULL, 0));
}

static struct job renewal(struct life *l)
{
	struct payment_renewals_due_head h = {.ahead_s = LONG_S, .most = 10};

	l->ask(l, payment_renewals_due_unit(&h, NULL, 0));
	return claim(l, "payment.renew");
}

void renew(struct life *l)
{
	struct job j = renewal(l);
	struct payment_held_head held = {AT_JOB(l, j), .attempt_id = l->attempt,
					 .authorized_until = LONG_AGO};
	struct payment_lapsed_head lapsed;

	l->ask(l, payment_held_unit(&held, NULL, 0));
	j = renewal(l);
	lapsed = (struct payment_lapsed_head){AT_JOB(l, j), .attempt_id = l->attempt,
					      .gateway_ref = STR("pi_1"), .next_job = fresh_id(),
					      .delay_ms = DB_NULL};
	l->ask(l, payment_lapsed_unit(&lapsed, NULL, 0));
}

void doubt(struct life *l, struct job j)
{
	struct payment_unknown_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					 .delay_ms = LONG_S * 1000, .error = STR("timeout")};

	l->ask(l, payment_unknown_unit(&h, NULL, 0));
}
