/*
 * Who may call what: one row per RPC that is not open to everybody.  What has no row, nobody calls.
 *
 * Columns: path, then the roles in the order of ROLE_TABLE (identity.h): customer, service, mes,
 * ops_read, ops_write, ops_admin.  A customer may call nothing yet: orders are not looked at for
 * whose they are.
 */
#ifndef ORDERD_SERVER_POLICY_TABLE_H
#define ORDERD_SERVER_POLICY_TABLE_H

/* clang-format off */
#define POLICY_TABLE(X) \
	X("/orderd.v1.OrderService/PlaceOrder",                     0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.OrderService/GetOrder",                       0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.OrderService/BatchGetOrders",                 0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.OrderService/GetOrderStatus",                 0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.OrderService/ListOrders",                     0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.OrderService/CancelOrder",                    0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.OrderService/WatchOrder",                     0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.InventoryService/UpsertItems",                0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.InventoryService/CreateLocation",             0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.InventoryService/ReceiveStock",               0, 1, 1, 0, 1, 1) \
	X("/orderd.v1.InventoryService/AdjustStock",                0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.InventoryService/GetAvailability",            0, 1, 1, 1, 1, 1) \
	X("/orderd.v1.InventoryService/ListStockMovements",         0, 1, 1, 1, 1, 1) \
	X("/orderd.v1.ShippingService/GetLabel",                    0, 1, 1, 1, 1, 1) \
	X("/orderd.v1.ShippingService/GetShipment",                 0, 1, 1, 1, 1, 1) \
	X("/orderd.v1.ShippingService/VoidLabel",                   0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.ShippingService/ConfirmHandover",             0, 1, 1, 0, 1, 1) \
	X("/orderd.v1.ShippingService/RecordTrackingEvent",         0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.PaymentService/GetPayment",                   0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.PaymentService/ListPayments",                 0, 1, 0, 1, 1, 1) \
	X("/orderd.v1.PaymentService/RetryPayment",                 0, 1, 0, 0, 1, 1) \
	X("/orderd.v1.FulfillmentService/ListFulfillmentOrders",    0, 1, 1, 1, 1, 1) \
	X("/orderd.v1.FulfillmentService/ConfirmPick",              0, 1, 1, 0, 1, 1) \
	X("/orderd.v1.FulfillmentService/ConfirmPack",              0, 1, 1, 0, 1, 1) \
	X("/orderd.v1.OpsService/ListJobs",                         0, 0, 0, 1, 1, 1) \
	X("/orderd.v1.OpsService/GetJob",                           0, 0, 0, 1, 1, 1) \
	X("/orderd.v1.OpsService/RetryJobs",                        0, 0, 0, 0, 1, 1) \
	X("/orderd.v1.OpsService/CancelJob",                        0, 0, 0, 0, 1, 1) \
	X("/orderd.v1.OpsService/ListQueues",                       0, 0, 0, 1, 1, 1) \
	X("/orderd.v1.OpsService/PauseQueue",                       0, 0, 0, 0, 1, 1) \
	X("/orderd.v1.OpsService/ResumeQueue",                      0, 0, 0, 0, 1, 1) \
	X("/orderd.v1.OpsService/ListStuckOrders",                  0, 0, 0, 1, 1, 1) \
	X("/orderd.v1.OpsService/Inspect",                          0, 0, 0, 1, 1, 1) \
	X("/orderd.v1.KeyService/CreateKey",                        0, 0, 0, 0, 0, 1) \
	X("/orderd.v1.KeyService/ListKeys",                         0, 0, 0, 0, 0, 1) \
	X("/orderd.v1.KeyService/RevokeKey",                        0, 0, 0, 0, 0, 1) \
	X("/grpc.health.v1.Health/Watch",                           0, 1, 1, 1, 1, 1) \
	X("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 0, 1, 1, 1, 1, 1) \
	X("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", 0, 1, 1, 1, 1, 1)
/* clang-format on */

#endif
