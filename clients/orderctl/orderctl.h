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

#include "args.h"
#include "exit_codes.h"
#include "format.h"
#include "json.h"

/* Each ends with verb == NULL. */
extern const struct command place_commands[], order_commands[], stock_commands[], label_commands[],
	payment_commands[], shipping_commands[], fulfillment_commands[], ops_commands[],
	inspect_commands[], key_commands[], audit_commands[], bench_commands[], help_commands[];

/* main's list of them all, for help and completion. */
extern const command_tables all_commands;

/* ---- printing ---- */

/* What happened, and what to do next.  Answers the exit code. */
int print_error(const struct args *a, const struct orderd_error *e);
enum exit_code exit_code_of(const struct orderd_error *e, bool outcome);
json_t *json_of_error(const struct args *a, const struct orderd_error *e);

/* Whatever there is to free of an answer; EXIT_DONE. */
int done_with(const ProtobufCMessage *rs);

void print_order(const Orderd__V1__Order *o);
void print_events(Orderd__V1__OrderEvent *const *events, size_t n);

#endif
