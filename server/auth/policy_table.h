/*
 * Who may call what: one row per RPC that is not open to everybody.  What has no row, nobody calls.
 *
 * Columns:
 *	path
 *	scope	that a credential must name if it names any; "": none is needed
 *	LOUD	every call of it is put on record (QUIET: only those that were refused)
 *	reach	of each role, in the order of ROLE_TABLE (identity.h):
 *		customer, service, mes, ops_read, ops_write, ops_admin
 *
 *		NO	may not call it
 *		OWN	may, for what belongs to the customer it is bound to
 *		AT	may, for what is at the locations it names, or at all if it names none
 *		ALL	may, for everything of its tenant
 *		SITE	may if its tenant is operator_tenant: it sees or stops what all share
 *
 * Whoever is bound to a customer, of whatever role, may call only what has OWN for customers: the
 * statements of these calls look at owners, and no others do (policy.h).  Whoever names locations,
 * of whatever role, may call only what has AT for mes, for the same reason.
 */
#ifndef ORDERD_SERVER_POLICY_TABLE_H
#define ORDERD_SERVER_POLICY_TABLE_H

/* clang-format off */
#define POLICY_TABLE(X) \
	X("/orderd.v1.OrderService/PlaceOrder",                            "orders:write",      QUIET, OWN, ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.OrderService/GetOrder",                              "orders:read",       QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OrderService/BatchGetOrders",                        "orders:read",       QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OrderService/GetOrderStatus",                        "orders:read",       QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OrderService/ListOrders",                            "orders:read",       QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OrderService/CancelOrder",                           "orders:write",      QUIET, OWN, ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.OrderService/WatchOrder",                            "orders:read",       QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OrderService/WatchOrders",                           "orders:read",       QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.InventoryService/UpsertItems",                       "inventory:write",   QUIET, NO,  ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.InventoryService/CreateLocation",                    "inventory:write",   QUIET, NO,  ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.InventoryService/ReceiveStock",                      "inventory:write",   QUIET, NO,  ALL, AT,  NO,  ALL, ALL) \
	X("/orderd.v1.InventoryService/AdjustStock",                       "inventory:write",   LOUD,  NO,  ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.InventoryService/GetAvailability",                   "inventory:read",    QUIET, NO,  ALL, AT,  ALL, ALL, ALL) \
	X("/orderd.v1.InventoryService/ListStockMovements",                "inventory:read",    QUIET, NO,  ALL, AT,  ALL, ALL, ALL) \
	X("/orderd.v1.ShippingService/GetLabel",                           "shipping:read",     QUIET, NO,  ALL, AT,  ALL, ALL, ALL) \
	X("/orderd.v1.ShippingService/GetShipment",                        "shipping:read",     QUIET, OWN, ALL, AT,  ALL, ALL, ALL) \
	X("/orderd.v1.ShippingService/VoidLabel",                          "shipping:write",    LOUD,  NO,  ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.ShippingService/ConfirmHandover",                    "shipping:write",    QUIET, NO,  ALL, AT,  NO,  ALL, ALL) \
	X("/orderd.v1.ShippingService/RecordTrackingEvent",                "shipping:write",    QUIET, NO,  ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.PaymentService/GetPayment",                          "payments:read",     QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.PaymentService/ListPayments",                        "payments:read",     QUIET, OWN, ALL, NO,  ALL, ALL, ALL) \
	X("/orderd.v1.PaymentService/RetryPayment",                        "payments:write",    LOUD,  NO,  ALL, NO,  NO,  ALL, ALL) \
	X("/orderd.v1.FulfillmentService/ListFulfillmentOrders",           "fulfillment:read",  QUIET, NO,  ALL, AT,  ALL, ALL, ALL) \
	X("/orderd.v1.FulfillmentService/ConfirmPick",                     "fulfillment:write", QUIET, NO,  ALL, AT,  NO,  ALL, ALL) \
	X("/orderd.v1.FulfillmentService/ConfirmPack",                     "fulfillment:write", QUIET, NO,  ALL, AT,  NO,  ALL, ALL) \
	X("/orderd.v1.OpsService/ListJobs",                                "ops:read",          QUIET, NO,  NO,  NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OpsService/GetJob",                                  "ops:read",          QUIET, NO,  NO,  NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OpsService/RetryJobs",                               "ops:write",         LOUD,  NO,  NO,  NO,  NO,  ALL, ALL) \
	X("/orderd.v1.OpsService/CancelJob",                               "ops:write",         LOUD,  NO,  NO,  NO,  NO,  ALL, ALL) \
	X("/orderd.v1.OpsService/ListQueues",                              "ops:read",          QUIET, NO,  NO,  NO,  SITE, SITE, SITE) \
	X("/orderd.v1.OpsService/PauseQueue",                              "ops:write",         LOUD,  NO,  NO,  NO,  NO,  SITE, SITE) \
	X("/orderd.v1.OpsService/ResumeQueue",                             "ops:write",         LOUD,  NO,  NO,  NO,  NO,  SITE, SITE) \
	X("/orderd.v1.OpsService/ListStuckOrders",                         "ops:read",          QUIET, NO,  NO,  NO,  ALL, ALL, ALL) \
	X("/orderd.v1.OpsService/Inspect",                                 "ops:read",          QUIET, NO,  NO,  NO,  SITE, SITE, SITE) \
	X("/orderd.v1.OpsService/ListCallRecords",                         "audit:read",        LOUD,  NO,  NO,  NO,  ALL, NO,  ALL) \
	X("/orderd.v1.OpsService/VerifyCallRecords",                       "audit:read",        QUIET, NO,  NO,  NO,  ALL, NO,  ALL) \
	X("/orderd.v1.KeyService/CreateKey",                               "keys:write",        LOUD,  NO,  NO,  NO,  NO,  NO,  ALL) \
	X("/orderd.v1.KeyService/ListKeys",                                "keys:read",         LOUD,  NO,  NO,  NO,  NO,  NO,  ALL) \
	X("/orderd.v1.KeyService/RevokeKey",                               "keys:write",        LOUD,  NO,  NO,  NO,  NO,  NO,  ALL) \
	X("/grpc.health.v1.Health/Watch",                                  "",                  QUIET, NO,  ALL, AT,  ALL, ALL, ALL) \
	X("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",     "",                  QUIET, NO,  ALL, AT,  ALL, ALL, ALL) \
	X("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "",                  QUIET, NO,  ALL, AT,  ALL, ALL, ALL)
/* clang-format on */

#endif
