#include "server/rpc_table.h"

#include "server/methods.h"
#include "server/runtime/reflection.h"

const struct rpc_method *const rpc_table[] = {
	/* orderd.v1.OrderService */
	&RPC_PLACE_ORDER,
	&RPC_GET_ORDER,
	&RPC_BATCH_GET_ORDERS,
	&RPC_GET_ORDER_STATUS,
	&RPC_LIST_ORDERS,
	&RPC_CANCEL_ORDER,
	&RPC_WATCH_ORDER,
	&RPC_WATCH_ORDERS,
	/* orderd.v1.InventoryService */
	&RPC_UPSERT_ITEMS,
	&RPC_CREATE_LOCATION,
	&RPC_RECEIVE_STOCK,
	&RPC_ADJUST_STOCK,
	&RPC_GET_AVAILABILITY,
	&RPC_LIST_STOCK_MOVEMENTS,
	/* orderd.v1.ShippingService */
	&RPC_GET_LABEL,
	&RPC_GET_SHIPMENT,
	&RPC_VOID_LABEL,
	&RPC_CONFIRM_HANDOVER,
	&RPC_RECORD_TRACKING_EVENT,
	/* orderd.v1.PaymentService */
	&RPC_GET_PAYMENT,
	&RPC_LIST_PAYMENTS,
	&RPC_RETRY_PAYMENT,
	/* orderd.v1.FulfillmentService */
	&RPC_LIST_FULFILLMENT_ORDERS,
	&RPC_CONFIRM_PICK,
	&RPC_CONFIRM_PACK,
	/* orderd.v1.OpsService */
	&RPC_LIST_JOBS,
	&RPC_GET_JOB,
	&RPC_RETRY_JOBS,
	&RPC_CANCEL_JOB,
	&RPC_LIST_QUEUES,
	&RPC_PAUSE_QUEUE,
	&RPC_RESUME_QUEUE,
	&RPC_LIST_STUCK_ORDERS,
	&RPC_LIST_CALL_RECORDS,
	&RPC_VERIFY_CALL_RECORDS,
	&RPC_INSPECT,
	/* orderd.v1.KeyService */
	&RPC_CREATE_KEY,
	&RPC_LIST_KEYS,
	&RPC_REVOKE_KEY,
	/* what every gRPC server has */
	&RPC_HEALTH_CHECK,
	&RPC_HEALTH_WATCH,
	&RPC_REFLECTION,
	&RPC_REFLECTION_V1ALPHA,
};

const size_t rpc_table_size = sizeof(rpc_table) / sizeof(rpc_table[0]);

/* clang-format off */
const struct health_service service_table[] = {
	{"orderd.v1.OrderService",                   NEED_STORE | NEED_CALLERS},
	{"orderd.v1.InventoryService",               NEED_STORE | NEED_CALLERS},
	{"orderd.v1.ShippingService",                NEED_STORE | NEED_CALLERS},
	{"orderd.v1.PaymentService",                 NEED_STORE | NEED_CALLERS},
	{"orderd.v1.FulfillmentService",             NEED_STORE | NEED_CALLERS},
	{"orderd.v1.OpsService",                     NEED_STORE | NEED_CALLERS},
	{"orderd.v1.KeyService",                     NEED_STORE | NEED_CALLERS},
	{"grpc.reflection.v1.ServerReflection",      NEED_CALLERS},
	{"grpc.reflection.v1alpha.ServerReflection", NEED_CALLERS},
	{"grpc.health.v1.Health",                    NEED_NOTHING},
};
/* clang-format on */

const size_t service_table_size = sizeof(service_table) / sizeof(service_table[0]);
