/*
 * Reading fulfilment orders back: one by its id, and messages from the rows of the read
 * kind fulfillment_list.
 */
#ifndef ORDERD_SERVER_FULFILLMENT_READ_H
#define ORDERD_SERVER_FULFILLMENT_READ_H

#include "core/base/id.h"
#include "core/flow/flow.h"
#include "orderd/v1/fulfillment_service.pb-c.h"

/* Whole, however many lines it has. */
int ask_fulfillment(struct flow *fl, struct id fulfillment);

/* NOT_FOUND about it. */
int no_such_fulfillment(struct flow *fl, struct id fulfillment);

/*
 * Room for messages of so many rows (one per line); false: there is none, and fl has failed with
 * OVERLOADED.
 */
bool fulfillment_room(struct flow *fl, uint32_t rows);

/* The fulfilment order whose rows begin at *at, which moves behind them.  NULL: the arena is full.
 */
Orderd__V1__FulfillmentOrder *fulfillment_message(struct flow *fl, const struct answer *rows,
						  uint32_t *at);

/* As stored; NULL for "unspecified". */
const char *fulfillment_order_state_name(Orderd__V1__FulfillmentOrderState state);

#endif
