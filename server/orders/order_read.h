/*
 * Reading an order back, and what an earlier request made: questions several RPCs ask.
 */
#ifndef ORDERD_SERVER_ORDER_READ_H
#define ORDERD_SERVER_ORDER_READ_H

#include <stdbool.h>

#include "core/base/id.h"
#include "core/base/str.h"
#include "core/flow/flow.h"
#include "orderd/v1/order_service.pb-c.h"

enum {
	ORDER_LINES_ORDINARY = 50, /* an order of so many lines fits an ordinary flow's arena */
	/* bytes a line takes on its way: priced, sourced, stored, answered */
	ORDER_LINE_MEMORY = 1536,
};

/* There is none, or it is another's: the same answer. */
int order_not_found(struct flow *fl, struct id order);

/*
 * Order and lines; the got half answers NULL with fl->err set (NOT_FOUND, TOO_LARGE), to be
 * returned as FLOW_FAIL.
 */
int ask_order_view(struct flow *fl, struct id order);
Orderd__V1__Order *got_order_view(struct flow *fl, struct id order, const struct answer *a);

/* Its shipment groups; read the answer with order_add_groups(). */
int ask_order_groups(struct flow *fl, struct id order);

/* Its events after sequence `after`, at most `most`; read the answer with events_message(). */
int ask_order_events(struct flow *fl, struct id order, int64_t after, int32_t most);

/*
 * What an earlier call with this request_id made.  The got half answers false with fl->err
 * set: NOT_FOUND, there was none; REQUEST_ID_REUSED, it had another body.
 */
int ask_request_find(struct flow *fl, int16_t method, struct str request_id);
bool got_request_find(struct flow *fl, struct str fingerprint, const struct answer *a,
		      struct id *ret_resource);

#endif
