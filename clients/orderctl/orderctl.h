/*
 * orderctl: orderd for people and scripts, on liborderd-client alone.
 *
 * A command is a row of a table (args.h).  It prints a table for people or, with --json, what was
 * answered as JSON: one line per answer, with the field names of the contract.  Times are UTC and
 * say so with their Z.
 */
#ifndef ORDERCTL_H
#define ORDERCTL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "args.h"
#include "exit_codes.h"

/* Each ends with verb == NULL. */
extern const struct command order_commands[], stock_commands[], label_commands[],
	payment_commands[], shipping_commands[], fulfillment_commands[], help_commands[];

/* main's list of them all, for help and completion. */
extern const command_tables all_commands;

/* ---- printing ---- */

/* What happened, and what to do next.  Answers the exit code. */
int print_error(const struct args *a, const struct orderd_error *e);
enum exit_code exit_code_of(const struct orderd_error *e, bool changes);
json_t *json_of_error(const struct args *a, const struct orderd_error *e);

void print_json(const ProtobufCMessage *m); /* one line */
void print_json_value(json_t *o);           /* takes o */
json_t *json_of(const ProtobufCMessage *m);
void print_order(const Orderd__V1__Order *o);
void print_status(const Orderd__V1__GetOrderStatusResponse *rs);
void print_events(Orderd__V1__OrderEvent *const *events, size_t n);
void print_orders(Orderd__V1__Order *const *orders, size_t n);
void print_payments(Orderd__V1__Payment *const *payments, size_t n);
void print_shipment(const Orderd__V1__Shipment *s);
void print_fulfillment_orders(Orderd__V1__FulfillmentOrder *const *list, size_t n);
void print_money(char *to, size_t room, const Orderd__V1__Money *m); /* "19.99 EUR" */

#endif
