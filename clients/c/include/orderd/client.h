/*
 * liborderd-client: orderd for C programs.
 *
 * Each method of the contract (api/orderd/v1) is one blocking call: request in,
 * response out, a deadline on every call.  A client may be shared by any number of
 * threads.  Requests and responses are the generated protobuf-c messages; a response is
 * freed with protobuf_c_message_free_unpacked(&response->base, NULL).
 *
 * Calls that may be repeated - reads, and writes, which carry a request_id - are repeated
 * by the client after UNAVAILABLE, ABORTED and CANCELLED, with jittered pauses, until the deadline.
 * A server that says when to come back (grpc-retry-pushback-ms) is obeyed, whatever the status: not
 * earlier, and not at all when it says so.
 */
#ifndef ORDERD_CLIENT_H
#define ORDERD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "orderd/v1/fulfillment_service.pb-c.h"
#include "orderd/v1/inventory_service.pb-c.h"
#include "orderd/v1/key_service.pb-c.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "orderd/v1/order_service.pb-c.h"
#include "orderd/v1/payment_service.pb-c.h"
#include "orderd/v1/shipping_service.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

struct orderd_client;

enum { ORDERD_VIOLATIONS_MAX = 32 };

/*
 * Why a call failed.  `status` is the gRPC status code, `reason` the name from
 * google.rpc.ErrorInfo.
 */
struct orderd_error {
	int status;
	char reason[64];
	char message[512];

	struct orderd_violation {
		char field[96]; /* "lines[3].sku" */
		char why[160];
	} violations[ORDERD_VIOLATIONS_MAX];

	size_t n_violations;

	struct orderd_fact {
		char key[32]; /* "sku" */
		char value[96];
	} facts[16];

	size_t n_facts;
};

/* Texts are bytes with their length.  It points to z, which must outlive the request. */
static inline ProtobufCBinaryData orderd_text(const char *z)
{
	ProtobufCBinaryData text = {strlen(z), (uint8_t *)(uintptr_t)z};

	return text;
}

/*
 * `target`: "127.0.0.1:7070" or "unix:/run/orderd/orderd.sock".  Does not connect yet; never NULL.
 */
struct orderd_client *orderd_client_new(const char *target);

/*
 * How to be known and how to know the server.  Each may be NULL; paths are of PEM files, read once.
 */
struct orderd_client_options {
	const char *target;
	const char *token_file; /* an API key or JWT; read for each call, so it can be changed */
	const char *tls_ca;     /* CAs of the server: TLS */
	const char *tls_cert;   /* a client certificate, and those between it and its root */
	const char *tls_key;
};

/*
 * NULL, and *reterr (if given) says why: a file cannot be read, a certificate without key or CA, or
 * a token that would travel without TLS to another machine.
 */
struct orderd_client *orderd_client_new_with(const struct orderd_client_options *opt,
					     struct orderd_error *reterr);

/* No call may be under way. */
void orderd_client_free(struct orderd_client *c);

/*
 * One function per method:
 *
 *	Orderd__V1__PlaceOrderResponse *orderd_place_order(struct orderd_client *c,
 *		const Orderd__V1__PlaceOrderRequest *rq, int deadline_ms,
 *		struct orderd_error *reterr);
 *
 * NULL: it failed, and *reterr (if given) says why.  DEADLINE_EXCEEDED and UNAVAILABLE of a write
 * do not say that it did not happen: call again with the same request_id.
 */
#define ORDERD_METHODS(X)                                                                     \
	X(place_order, OrderService, PlaceOrder, place_order)                                 \
	X(get_order, OrderService, GetOrder, get_order)                                       \
	X(batch_get_orders, OrderService, BatchGetOrders, batch_get_orders)                   \
	X(get_order_status, OrderService, GetOrderStatus, get_order_status)                   \
	X(list_orders, OrderService, ListOrders, list_orders)                                 \
	X(cancel_order, OrderService, CancelOrder, cancel_order)                              \
	X(upsert_items, InventoryService, UpsertItems, upsert_items)                          \
	X(create_location, InventoryService, CreateLocation, create_location)                 \
	X(receive_stock, InventoryService, ReceiveStock, receive_stock)                       \
	X(adjust_stock, InventoryService, AdjustStock, adjust_stock)                          \
	X(get_availability, InventoryService, GetAvailability, get_availability)              \
	X(list_stock_movements, InventoryService, ListStockMovements, list_stock_movements)   \
	X(get_label, ShippingService, GetLabel, get_label)                                    \
	X(get_payment, PaymentService, GetPayment, get_payment)                               \
	X(list_payments, PaymentService, ListPayments, list_payments)                         \
	X(retry_payment, PaymentService, RetryPayment, retry_payment)                         \
	X(get_shipment, ShippingService, GetShipment, get_shipment)                           \
	X(void_label, ShippingService, VoidLabel, void_label)                                 \
	X(confirm_handover, ShippingService, ConfirmHandover, confirm_handover)               \
	X(record_tracking_event, ShippingService, RecordTrackingEvent, record_tracking_event) \
	X(list_fulfillment_orders, FulfillmentService, ListFulfillmentOrders,                 \
	  list_fulfillment_orders)                                                            \
	X(confirm_pick, FulfillmentService, ConfirmPick, confirm_pick)                        \
	X(confirm_pack, FulfillmentService, ConfirmPack, confirm_pack)                        \
	X(list_jobs, OpsService, ListJobs, list_jobs)                                         \
	X(get_job, OpsService, GetJob, get_job)                                               \
	X(retry_jobs, OpsService, RetryJobs, retry_jobs)                                      \
	X(cancel_job, OpsService, CancelJob, cancel_job)                                      \
	X(list_queues, OpsService, ListQueues, list_queues)                                   \
	X(pause_queue, OpsService, PauseQueue, pause_queue)                                   \
	X(resume_queue, OpsService, ResumeQueue, resume_queue)                                \
	X(list_stuck_orders, OpsService, ListStuckOrders, list_stuck_orders)                  \
	X(list_call_records, OpsService, ListCallRecords, list_call_records)                  \
	X(verify_call_records, OpsService, VerifyCallRecords, verify_call_records)            \
	X(inspect, OpsService, Inspect, inspect)                                              \
	X(create_key, KeyService, CreateKey, create_key)                                      \
	X(list_keys, KeyService, ListKeys, list_keys)                                         \
	X(revoke_key, KeyService, RevokeKey, revoke_key)

#define X(name, service, method, message)                                                          \
	Orderd__V1__##method##Response *orderd_##name(                                             \
		struct orderd_client *c, const Orderd__V1__##method##Request *rq, int deadline_ms, \
		struct orderd_error *reterr);
ORDERD_METHODS(X)
#undef X

/*
 * WatchOrder: calls on_event for every event of the order behind rq->after_sequence, each once and
 * in order, until the order has ended, on_event has answered false, or the deadline.  The message
 * lives until on_event returns; heartbeats are kept from it.
 *
 * A stream that breaks (server gone or leaving, this reader too slow) is taken up again behind the
 * last event, with jittered pauses.  false: it failed for good, and *reterr (if given) says why;
 * DEADLINE_EXCEEDED is how a watch of an order that goes on ends.
 */
typedef bool orderd_on_event(const Orderd__V1__WatchOrderResponse *m, void *arg);

bool orderd_watch_order(struct orderd_client *c, const Orderd__V1__WatchOrderRequest *rq,
			orderd_on_event *on_event, void *arg, int deadline_ms,
			struct orderd_error *reterr);

/*
 * WatchOrders: calls on_orders for every message, each event once, until on_orders has answered
 * false or the deadline; messages without events too, because their token is the one to keep: a
 * later call that is given it goes on behind them.  Broken streams are taken up as above.
 */
typedef bool orderd_on_orders(const Orderd__V1__WatchOrdersResponse *m, void *arg);

enum { ORDERD_TOKEN_MAX = 256 }; /* bytes of a resume_token */

bool orderd_watch_orders(struct orderd_client *c, const Orderd__V1__WatchOrdersRequest *rq,
			 orderd_on_orders *on_orders, void *arg, int deadline_ms,
			 struct orderd_error *reterr);

#ifdef __cplusplus
}
#endif

#endif
