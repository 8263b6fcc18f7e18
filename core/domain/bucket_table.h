/*
 * Where a unit of goods can be, and every legal move, with the reason for it.
 *
 * An order line's units sit in one of ten buckets; outside, on_hand and unavailable are
 * places of goods that belong to no order.
 *
 * The database holds the same moves in bucket_edge(); a test compares the two.
 */
/* clang-format off */
#define BUCKET_TABLE(X) \
	X(OUTSIDE,     "outside") \
	X(ON_HAND,     "on_hand") \
	X(UNAVAILABLE, "unavailable") \
	X(UNASSIGNED,  "unassigned") \
	X(RESERVED,    "reserved") \
	X(BACKORDERED, "backordered") \
	X(ALLOCATED,   "allocated") \
	X(PICKED,      "picked") \
	X(PACKED,      "packed") \
	X(SHIPPED,     "shipped") \
	X(DELIVERED,   "delivered") \
	X(CANCELLED,   "cancelled") \
	X(RETURNED,    "returned")

#define BUCKET_EDGE_TABLE(X) \
	X(OUTSIDE,     ON_HAND,     "goods received or found") \
	X(ON_HAND,     OUTSIDE,     "goods lost or written off") \
	X(ON_HAND,     UNAVAILABLE, "taken off sale") \
	X(UNAVAILABLE, ON_HAND,     "back on sale") \
	X(UNASSIGNED,  RESERVED,    "held until paid") \
	X(UNASSIGNED,  BACKORDERED, "promised without stock") \
	X(UNASSIGNED,  CANCELLED,   "cancelled before it was sourced") \
	X(RESERVED,    ALLOCATED,   "paid: bound to the order") \
	X(RESERVED,    BACKORDERED, "the stock went elsewhere") \
	X(RESERVED,    CANCELLED,   "not paid, or cancelled") \
	X(BACKORDERED, RESERVED,    "stock has come, not paid yet") \
	X(BACKORDERED, ALLOCATED,   "stock has come") \
	X(BACKORDERED, CANCELLED,   "cancelled while waiting") \
	X(ALLOCATED,   PICKED,      "taken from the shelf") \
	X(ALLOCATED,   BACKORDERED, "not on the shelf") \
	X(ALLOCATED,   CANCELLED,   "cancelled before the pick") \
	X(PICKED,      PACKED,      "in the parcel") \
	X(PICKED,      ALLOCATED,   "put back") \
	X(PICKED,      CANCELLED,   "cancelled after the pick: put back") \
	X(PACKED,      SHIPPED,     "handed to the carrier") \
	X(PACKED,      PICKED,      "unpacked") \
	X(SHIPPED,     DELIVERED,   "at the customer's door") \
	X(SHIPPED,     RETURNED,    "came back from the carrier") \
	X(DELIVERED,   RETURNED,    "came back from the customer")
/* clang-format on */
