/*
 * Order, payment, fulfilment and bucket states: names, and which moves are legal.
 * The tables are order_table.h and bucket_table.h.
 */
#ifndef ORDERD_DOMAIN_ORDER_STATE_H
#define ORDERD_DOMAIN_ORDER_STATE_H

#include <stdbool.h>

#include "bucket_table.h"
#include "core/base/str.h"
#include "order_table.h"

/* clang-format off */
#define X(name, text) ORDER_##name,
enum order_state { ORDER_STATE_TABLE(X) ORDER_STATES };
#undef X
#define X(name, text) PAYMENT_##name,
enum payment_state { PAYMENT_STATE_TABLE(X) PAYMENT_STATES };
#undef X
#define X(name, text) FULFILLMENT_##name,
enum fulfillment_state { FULFILLMENT_STATE_TABLE(X) FULFILLMENT_STATES };
#undef X
#define X(name, text) BUCKET_##name,
enum bucket { BUCKET_TABLE(X) BUCKETS };
#undef X
/* clang-format on */

const char *order_state_name(enum order_state s);
const char *payment_state_name(enum payment_state s);
const char *fulfillment_state_name(enum fulfillment_state s);
const char *bucket_name(enum bucket b);

/* From the stored text; the number of states (ORDER_STATES, ...) if it is none of them. */
enum order_state order_state_of(struct str text);
enum payment_state payment_state_of(struct str text);
enum fulfillment_state fulfillment_state_of(struct str text);

/* The reason a move is legal; NULL if it is not. */
const char *order_edge_why(enum order_state from, enum order_state to);
const char *bucket_edge_why(enum bucket from, enum bucket to);

/* No move leads out of it. */
bool order_state_is_final(enum order_state s);

#endif
