/* What the gateway's files share: errors, parameters, endpoints, shapes. */
#ifndef ORDERD_SIMS_GATEWAY_PART_H
#define ORDERD_SIMS_GATEWAY_PART_H

#include "sims/sim.h"

/* ---- gateway.c ---- */

struct gateway_error {
	const char *type;
	const char *code; /* NULL: none, as the next two */
	const char *decline_code;
	const char *param;
	const char *charge;
};

/* Answer with an error; `intent` (borrowed, or NULL) is shown in it. */
void gateway_refuse(struct call *c, int status, const struct gateway_error *e, json_t *intent,
		    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* 400 invalid_request_error, not kept under the idempotency key: execution never began. */
void gateway_invalid(struct call *c, const char *code, const char *param, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void gateway_missing(struct call *c, const char *kind, const char *id, const char *param);

const char *form_text(const struct call *c, const char *name); /* NULL: absent */
bool form_flag(const struct call *c, const char *name);
/* True when absent (leaves *ret) or a whole number in 0..10^12; else answers
 * parameter_invalid_integer. */
bool form_int(struct call *c, const char *name, int64_t *ret);
/* The metadata of the form, checked against the vendor's limits; NULL after an answer. */
json_t *form_metadata(struct call *c);

/* Does the call ask to expand `name`? */
bool expands(const struct call *c, const char *name);

/* Answer a page of the objects of one kind, newest first, following limit, created and
 * starting_after. `show` turns a stored object (it takes it) into what is shown, or NULL to leave
 * it out. */
void gateway_list(struct call *c, const char *kind, const char *url,
		  json_t *(*show)(struct call *c, json_t *take_object));

/* One more event with the object as it is now, for whoever listens.  `by_itself`: no call is its
 * cause. */
void gateway_event(struct call *c, const char *type, const json_t *object, bool by_itself);

/* ---- intent.c ---- */

void intent_create(struct call *c);
void intent_get(struct call *c);
void intent_list(struct call *c);
void intent_confirm(struct call *c);
void intent_capture(struct call *c);
void intent_cancel(struct call *c);

/* Keep an intent and its charge (or NULL) and answer with the intent; takes both. */
void intent_keep(struct call *c, json_t *take_pi, json_t *take_charge, const char *decision);

/* Ask the card behind the intent's payment method to pay; answers. */
void intent_pay(struct call *c, json_t *take_pi);

/* Load as of now: an authorization past its time is canceled by this.  NULL: no such. */
json_t *intent_load(struct call *c, const char *id);

/* ---- intent_create.c ---- */

/* Read payment_method, or one of a closed list of values (each between spaces), into the intent.
 * Absent is fine; false after an answer. */
bool intent_attach(struct call *c, json_t *pi);
bool intent_choice(struct call *c, json_t *pi, const char *name, const char *choices);

/* ---- refund.c ---- */

void refund_create(struct call *c);
void refund_get(struct call *c);
void refund_list(struct call *c);
void charge_get(struct call *c);

/* ---- card.c ---- */

/* A payment method for tests, and what it does. */
struct card {
	const char *name; /* without "pm_card_" */
	const char *brand;
	const char *last4;
	const char *code; /* NULL: pays */
	const char *decline_code;
	const char *message;
	bool challenge; /* the customer must authenticate */
};

const struct card *card_by_name(const char *payment_method); /* "pm_card_visa"; NULL: no such */

/* ---- shape.c ---- */

json_t *intent_new(struct call *c);
json_t *charge_new(struct call *c, const json_t *intent, const struct card *card);
json_t *refund_new(struct call *c, const json_t *charge, int64_t amount);

/* Short ways to read and write an object's fields. */
const char *text_in(const json_t *object, const char *field); /* "" when null or absent */
int64_t int_in(const json_t *object, const char *field);
void set_text(json_t *object, const char *field, const char *text); /* NULL: null */
void set_int(json_t *object, const char *field, int64_t value);

#endif
