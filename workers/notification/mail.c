/*
 * Mail: tell the customer of one event.
 *
 *	find --+--> lines --> send --> record --> done
 *	       +--> record (nobody to tell, or nothing any more)
 *
 * The mail goes out before it is written down as sent, so a worker that dies in between
 * sends it again: the notification's id is its Message-ID, by which mail programs show one.
 * A mail server that is away, or says "later", holds up this job and nothing else.
 */
#include "core/http/mail.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metric.h"
#include "core/domain/address.h"
#include "sql.gen.h"
#include "workers/notification/letter.h"
#include "workers/notification/notification.h"

enum { FIND, LINES, SEND, RECORD, DONE };

struct telling {
	struct letter_facts facts;
	struct str to;
	int16_t group_no;    /* whose goods it lists; 0: the order's */
	const char *outcome; /* of mail_recorded */
	char detail[32];
};

static int end_as(struct telling *t, const char *outcome, const char *detail)
{
	t->outcome = outcome;
	(void)snprintf(t->detail, sizeof(t->detail), "%s", detail);
	return RECORD;
}

/* ---- find: what there is to tell, and whom ---- */

static int ask_find(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct mail_find_head h = {.tenant = j->tenant, .notification_id = j->id};

	return store_ask(fl, worker_of(fl)->store, mail_find_unit(&h, NULL, 0));
}

static void keep_facts(struct flow *fl, const struct mail_find_row *r)
{
	const struct worker *w = worker_of(fl);
	struct letter_facts *f = &((struct telling *)job_state(fl))->facts;
	struct arena *a = &fl->arena;

	f->template = arena_str(a, r->template);
	f->kind = arena_str(a, r->kind);
	f->shop = str_of(w->cfg.shop_name[0] != '\0' ? w->cfg.shop_name : w->mail_from.address);
	f->order_number = r->number;
	f->partly = r->group_no > 0 && r->groups > 1;
	f->currency = arena_str(a, r->currency);
	f->total_minor = r->total_minor;
	f->carrier = arena_str(a, r->carrier);
	f->tracking_code = arena_str(a, r->tracking_code);
	f->tracking_url = arena_str(a, r->tracking_url);
	f->action_url = arena_str(a, r->action_url);
	if (f->tracking_url.n == 0 && f->tracking_code.n > 0 && w->cfg.tracking_url[0] != '\0')
		f->tracking_url =
			str_of(letter_tracking_url(a, w->cfg.tracking_url, f->tracking_code));
}

static int got_find(struct flow *fl, const struct answer *a)
{
	const struct job *j = job_of(fl);
	struct telling *t = job_state(fl);
	struct address whom;
	struct mail_find_row r;
	struct str opened;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its notification does not exist");
	r = mail_find_row(a, 0);
	if (!str_eq(r.state, STR("queued"))) {
		job_moot(fl);
		return DONE;
	}
	if (r.overtaken)
		return end_as(t, "suppressed", "overtaken");
	opened = seal_open(&worker_of(fl)->contact_key, j->tenant, j->order, r.sealed, &fl->arena);
	if (opened.p == NULL || !address_unpack(opened, &whom))
		return job_fail(fl, ERR_PROVIDER_REFUSED,
				"the address does not open: another key sealed it");
	if (!mail_address_ok(whom.email))
		return end_as(t, "suppressed",
			      whom.email.n == 0 ? "no address" : "no usable address");
	t->to = whom.email;
	t->group_no = r.group_no;
	t->facts.name = whom.name;
	keep_facts(fl, &r);
	return LINES;
}

/* ---- lines: what the parcel, or the order, holds ---- */

static int ask_lines(struct flow *fl)
{
	const struct job *j = job_of(fl);
	const struct telling *t = job_state(fl);
	struct mail_lines_head h = {.tenant = j->tenant,
				    .order_id = j->order,
				    .group_no = t->group_no,
				    .most = LETTER_LINES_MAX};

	return store_ask(fl, worker_of(fl)->store, mail_lines_unit(&h, NULL, 0));
}

static int got_lines(struct flow *fl, const struct answer *a)
{
	struct letter_facts *f = &((struct telling *)job_state(fl))->facts;
	struct letter_line *lines = arena_array(&fl->arena, answer_rows(a) + 1, sizeof(*lines));

	if (lines == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the mail does not fit into arena_kib");
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct mail_lines_row r = mail_lines_row(a, i);

		lines[i] = (struct letter_line){.title = arena_str(&fl->arena, r.title),
						.sku = arena_str(&fl->arena, r.sku),
						.quantity = r.qty,
						.unit_minor = r.unit_minor};
		f->all_lines = r.lines;
	}
	f->lines = lines;
	f->n_lines = answer_rows(a);
	return SEND;
}

/* ---- send ---- */

static int ask_send(struct flow *fl)
{
	struct worker *w = worker_of(fl);
	const struct telling *t = job_state(fl);
	char id[ID_TEXT_SIZE];
	struct letter letter;
	const char *why = letter_write(&t->facts, &fl->arena, &letter);
	const char *message_id = arena_printf(&fl->arena, "%s%s", id_format(job_of(fl)->id, id),
					      strrchr(w->mail_from.address, '@'));
	struct mail m = {.server = &w->mail_server,
			 .from_name = str_of(w->mail_from.name),
			 .from = str_of(w->mail_from.address),
			 .to = t->to,
			 .message_id = str_of(message_id),
			 .date_us = clock_wall_us(),
			 .timeout_ms = (int)w->cfg.smtp_timeout_ms};

	if (why != NULL || message_id == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the letter cannot be written: %s",
				why != NULL ? why : "no room");
	m.subject = letter.subject;
	m.text = letter.text;
	m.html = letter.html;
	return mail_ask(fl, w->http, &m);
}

static int got_send(struct flow *fl, const struct answer *a)
{
	struct telling *t = job_state(fl);
	const struct mail_reply *r = mail_reply(a);
	char word[32];

	(void)snprintf(word, sizeof(word), "%d" STR_FMT STR_FMT, r->code,
		       STR_ARG(r->status.n > 0 ? STR(" ") : STR("")), STR_ARG(r->status));
	if (r->verdict == MAIL_LATER)
		return job_fail(fl, ERR_PROVIDER_BUSY, "the mail server answered %s", word);
	return end_as(t, r->verdict == MAIL_TAKEN ? "sent" : "refused", word);
}

/* ---- record ---- */

static int ask_record(struct flow *fl)
{
	const struct job *j = job_of(fl);
	const struct telling *t = job_state(fl);
	struct mail_recorded_head h = {.tenant = j->tenant,
				       .order_id = j->order,
				       .group_no = j->group_no,
				       .job_id = j->id,
				       .epoch = j->epoch,
				       .outcome = str_of(t->outcome),
				       .detail = str_of(t->detail)};

	return store_ask(fl, worker_of(fl)->store, mail_recorded_unit(&h, NULL, 0));
}

static int got_record(struct flow *fl, const struct answer *a)
{
	const struct telling *t = job_state(fl);
	char order[ID_TEXT_SIZE], trace[TRACE_TEXT_SIZE];

	if (answer_rows(a) > 0)
		metric_add(METRIC_mails, t->outcome, 1);
	if (answer_rows(a) > 0 && strcmp(t->outcome, "sent") != 0)
		log_info("mail_not_sent", "order=%s outcome=%s detail=%s trace=%s",
			 id_format(job_of(fl)->order, order), t->outcome, LOG_Q(t->detail),
			 trace_text(&fl->trace, trace));
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step mail_steps[] = {
	/*           name      ask         got         ms      on error  next                                */
	[FIND]   = {"find",   ask_find,   got_find,   10000,  DONE,     TO(LINES) | TO(RECORD) | TO(DONE)},
	[LINES]  = {"lines",  ask_lines,  got_lines,  10000,  DONE,     TO(SEND)},
	[SEND]   = {"send",   ask_send,   got_send,   110000, DONE,     TO(RECORD)}, /* not answered: sent again, with the same Message-ID */
	[RECORD] = {"record", ask_record, got_record, 30000,  DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_NOTIFICATION_MAIL = {
	.name = "notification.mail",
	.role = ROLE_NOTIFICATION,
	.priority = 2,
	.steps = mail_steps,
	.state_size = sizeof(struct telling),
};
