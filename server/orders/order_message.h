/*
 * From stored rows to the Order message of the contract.  Everything lives in the flow's
 * arena; NULL or false means the arena is full.
 */
#ifndef ORDERD_SERVER_ORDER_MESSAGE_H
#define ORDERD_SERVER_ORDER_MESSAGE_H

#include <stdbool.h>

#include "core/base/seal.h"
#include "core/domain/address.h"
#include "core/flow/flow.h"
#include "orderd/v1/order_service.pb-c.h"

Orderd__V1__OrderState order_state_message(struct str state);
Orderd__V1__PaymentState payment_state_message(struct str state);
Orderd__V1__FulfillmentState fulfillment_state_message(struct str state);

/* Copied to the arena; empty when absent or full. */
ProtobufCBinaryData keep_text(struct flow *fl, struct str s);

ProtobufCBinaryData id_text(struct flow *fl, struct id id); /* empty for a zero id */
Google__Protobuf__Timestamp *timestamp_message(struct flow *fl, int64_t us);
int64_t timestamp_us(const Google__Protobuf__Timestamp *t); /* saturates */
Orderd__V1__Money *money_message(struct flow *fl, struct str currency, int64_t minor);
Orderd__V1__Address *address_message(struct flow *fl, const struct address *a);

/*
 * Sealed for its order, so it opens for no other one.  An address that does not open is left out,
 * not invented: NULL.
 */
Orderd__V1__Address *address_opened(struct flow *fl, const struct seal_key *key, int32_t tenant,
				    struct id order, struct str sealed);
ProtobufCBinaryData etag_text(struct flow *fl, int64_t version);

/* From the answers of the read kinds order_view, order_groups, order_holds and order_events. */
Orderd__V1__Order *order_from_view(struct flow *fl, const struct seal_key *key, int32_t tenant,
				   struct id order, const struct answer *view);
bool order_add_groups(struct flow *fl, Orderd__V1__Order *order, const struct answer *groups);
bool order_add_holds(struct flow *fl, Orderd__V1__Order *order, const struct answer *holds);
struct order_events_row;
Orderd__V1__OrderEvent *event_message(struct arena *a, const struct order_events_row *r);
bool events_message(struct flow *fl, const struct answer *events, Orderd__V1__OrderEvent ***ret,
		    size_t *ret_n);

/*
 * The same of the kinds for many orders: the order whose rows begin at *at, which moves behind
 * them; and its groups, those of `place`, of which there may be none.
 */
Orderd__V1__Order *order_from_views(struct flow *fl, const struct seal_key *key, int32_t tenant,
				    struct id order, const struct answer *views, uint32_t *at);
bool order_add_groups_of(struct flow *fl, Orderd__V1__Order *order, const struct answer *groups,
			 int32_t place, uint32_t *at);

#endif
