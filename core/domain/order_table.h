/*
 * The life of an order: its states and every legal move, with the reason for it.
 *
 *	           +--> rejected
 *	           +--> expired
 *	pending ---+--> confirmed ------------> completed
 *	   |                |
 *	   +----------------+--> cancelling --> cancelled
 *	   +----------------+------------------> cancelled
 *
 * The database holds the same moves in order_edge(); a test compares the two.
 */
/* clang-format off */
#define ORDER_STATE_TABLE(X) \
	X(PENDING,    "pending") \
	X(CONFIRMED,  "confirmed") \
	X(CANCELLING, "cancelling") \
	X(COMPLETED,  "completed") \
	X(CANCELLED,  "cancelled") \
	X(REJECTED,   "rejected") \
	X(EXPIRED,    "expired")

#define ORDER_EDGE_TABLE(X) \
	X(PENDING,    CONFIRMED,  "all its payments are authorized") \
	X(PENDING,    REJECTED,   "a payment was declined") \
	X(PENDING,    EXPIRED,    "it was not paid in time") \
	X(PENDING,    CANCELLING, "cancelled while money may be held") \
	X(PENDING,    CANCELLED,  "cancelled before money was held") \
	X(CONFIRMED,  CANCELLING, "cancelled before it was packed; money is held") \
	X(CONFIRMED,  CANCELLED,  "cancelled before it was packed; nothing to release") \
	X(CONFIRMED,  COMPLETED,  "every unit is delivered, returned or cancelled") \
	X(CANCELLING, CANCELLED,  "all held money is released")

/* The other axes of an order: written by the same unit that changes what they summarise. */
#define PAYMENT_STATE_TABLE(X) \
	X(PENDING,            "pending") \
	X(UNKNOWN,            "unknown") \
	X(AUTHORIZED,         "authorized") \
	X(PARTIALLY_CAPTURED, "partially_captured") \
	X(CAPTURED,           "captured") \
	X(DECLINED,           "declined") \
	X(VOIDED,             "voided") \
	X(REQUIRES_ACTION,    "requires_action")

#define FULFILLMENT_STATE_TABLE(X) \
	X(UNFULFILLED,         "unfulfilled") \
	X(ALLOCATED,           "allocated") \
	X(PARTIALLY_SHIPPED,   "partially_shipped") \
	X(SHIPPED,             "shipped") \
	X(PARTIALLY_DELIVERED, "partially_delivered") \
	X(DELIVERED,           "delivered") \
	X(CANCELLED,           "cancelled") \
	X(BACKORDERED,         "backordered")
/* clang-format on */
