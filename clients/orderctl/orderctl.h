/*
 * orderctl: orderd for people and scripts, on liborderd-client alone.
 *
 * A command is a row of a table: its words, its options, what it does.  It prints a table
 * for people or, with --json, the response as JSON with the field names of the contract.
 */
#ifndef ORDERCTL_H
#define ORDERCTL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "orderd/client.h"

enum { OPTIONS_MAX = 64, EXIT_USAGE = 2, EXIT_REFUSED = 1, EXIT_UNKNOWN = 3 };

/* What the command line said: `--name value` pairs and the words left over. */
struct args {
	const char *names[OPTIONS_MAX], *values[OPTIONS_MAX];
	int n_options;
	char *words[OPTIONS_MAX]; /* argv's own, so a command may cut them up */
	int n_words;
	bool json;
	int deadline_ms;
	const char *request_id;     /* of the call that was made; NULL: it changes nothing */
	const char *request_option; /* it was given by, or can be */
	struct orderd_client *client;
};

struct command {
	const char *noun, *verb; /* "stock", "receive"; noun NULL for `orderctl get` */
	const char
		*usage; /* options and words, for help; an option that is not in here is refused */
	int words_max;  /* as many words it takes */
	const char *help;
	int (*run)(struct args *a); /* exit code */
};

/* Each ends with verb == NULL. */
extern const struct command order_commands[], stock_commands[], label_commands[],
	payment_commands[], shipping_commands[], fulfillment_commands[], key_commands[];

/* ---- options ---- */

const char *option(const struct args *a, const char *name); /* the last one given, NULL if none */
const char *option_or(const struct args *a, const char *name, const char *otherwise);
const char *need(const struct args *a, const char *name);        /* exits 2 when missing */
const char *word(const struct args *a, int i, const char *what); /* exits 2 when missing */
/* All that were given, in order; `values` has room for OPTIONS_MAX. */
size_t options(const struct args *a, const char *name, ProtobufCBinaryData *values);
bool flag(const struct args *a, const char *name);
int64_t number(const char *z, const char *what);       /* exits 2 when it is none */
int32_t small_number(const char *z, const char *what); /* exits 2 when it does not fit */
_Noreturn void usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

ProtobufCBinaryData text(const char *z); /* NULL: empty */
/* "declined", in any case; NULL: 0, unspecified; exits 2 when there is no such `what` */
int enum_value(const ProtobufCEnumDescriptor *d, const char *prefix, const char *what,
	       const char *z);
const char *
request_id(struct args *a); /* --request-id, or a fresh one; remembered for print_error() */

/* ---- printing ---- */

/* Answers the exit code: 1 refused, 3 outcome not known. */
int print_error(const struct args *a, const struct orderd_error *e);

void print_json(const ProtobufCMessage *m);
void print_order(const Orderd__V1__Order *o);
void print_status(const Orderd__V1__GetOrderStatusResponse *rs);
void print_events(Orderd__V1__OrderEvent *const *events, size_t n);
void print_orders(Orderd__V1__Order *const *orders, size_t n);
void print_payments(Orderd__V1__Payment *const *payments, size_t n);
void print_shipment(const Orderd__V1__Shipment *s);
void print_fulfillment_orders(Orderd__V1__FulfillmentOrder *const *list, size_t n);
void print_money(char *to, size_t room, const Orderd__V1__Money *m);          /* "19.99 EUR" */
void print_time(char *to, size_t room, const Google__Protobuf__Timestamp *t); /* NULL: "-" */
const char *enum_name(const ProtobufCEnumDescriptor *d, int value, const char *prefix);

#endif
