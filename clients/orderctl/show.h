/*
 * Tables that more than one command prints.
 */
#ifndef ORDERCTL_SHOW_H
#define ORDERCTL_SHOW_H

#include "orderd/client.h"
#include "table.h"

/* Rows are printed a page at a time: table_print() ends it. */
struct table *orders_table(void);
void orders_rows(struct table *t, Orderd__V1__Order *const *orders, size_t n);

/* A state that the contract spells as a word: "handed_over". */
void table_word(struct table *t, const ProtobufCBinaryData *state);
void field_word(struct table *t, const char *name, const ProtobufCBinaryData *state);

void print_status(const Orderd__V1__GetOrderStatusResponse *rs);

#endif
