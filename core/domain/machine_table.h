/*
 * The lives of what an order sets going: every move the statements of db/queries make, with
 * the reason for it.  (An order's own is order_table.h, a unit of goods' bucket_table.h.)
 *
 * Columns: from, to, why; no `from`: it begins there.  The SQL tests refuse every other move,
 * and a test compares the words with the database's.
 */
/* clang-format off */

/* The money of one shipment group. */
#define PAYMENT_MOVE_TABLE(X) \
	X(NULL,              "pending",         "the order is placed, or its group made") \
	X("pending",         "authorized",      "the gateway holds the money") \
	X("pending",         "requires_action", "the customer is to confirm it with their bank") \
	X("pending",         "unknown",         "the gateway did not say whether it took it") \
	X("pending",         "declined",        "the gateway refused, and there is no other method") \
	X("pending",         "voided",          "given up before anything was asked") \
	X("unknown",         "authorized",      "found out: the money is held") \
	X("unknown",         "requires_action", "found out: the customer is to confirm it") \
	X("unknown",         "declined",        "found out: it was refused") \
	X("unknown",         "pending",         "found out: it was refused; the next method is tried") \
	X("requires_action", "authorized",      "the customer has confirmed it") \
	X("requires_action", "declined",        "the customer has not confirmed it") \
	X("requires_action", "pending",         "not confirmed; the next method is tried") \
	X("declined",        "pending",         "another method is tried") \
	X("declined",        "voided",          "nothing is due any more") \
	X("authorized",      "captured",        "the parcel is about to leave") \
	X("authorized",      "pending",         "the authorization has ended, or is renewed before it does") \
	X("authorized",      "voided",          "let go: nothing is to be paid")

/* The work of one location for one order. */
#define FULFILLMENT_MOVE_TABLE(X) \
	X(NULL,     "open",      "the goods are paid, and the location's to pick") \
	X("open",   "picked",    "taken from the shelf") \
	X("open",   "cancelled", "the order is cancelled, or nothing is on the shelf") \
	X("picked", "packed",    "in the parcel") \
	X("picked", "cancelled", "the order is cancelled: put back") \
	X("packed", "closed",    "handed to the carrier")

/* A piece of work, as its row has it. */
#define JOB_MOVE_TABLE(X) \
	X(NULL,      "ready",  "committed with what made it necessary") \
	X(NULL,      "parked", "waits for somebody to confirm") \
	X("ready",   "running", "claimed by a worker") \
	X("ready",   "done",   "confirmed by hand, or not needed any more") \
	X("parked",  "ready",  "news has come") \
	X("parked",  "done",   "confirmed by hand, or not needed any more") \
	X("running", "done",   "completed under the claim that holds") \
	X("running", "ready",  "put off, to be tried again") \
	X("running", "dead",   "trying again cannot help") \
	X("ready",   "dead",   "given up by an operator") \
	X("dead",    "ready",  "brought back by an operator") \
	X("dead",    "done",   "its order was cancelled")

/* One parcel. */
#define SHIPMENT_MOVE_TABLE(X) \
	X(NULL,           "planned",      "packed") \
	X("planned",      "label_intent", "the carrier's parcel is known, its label about to be bought") \
	X("label_intent", "labelled",     "the label is bought") \
	X("labelled",     "voiding",      "the label is to be given back") \
	X("voiding",      "labelled",     "the carrier keeps it: it was used") \
	X("voiding",      "planned",      "the carrier has taken it back") \
	X("labelled",     "handed_over",  "with the carrier") \
	X("handed_over",  "delivered",    "at the customer's door") \
	X("handed_over",  "lost",         "the carrier says so") \
	X("handed_over",  "returned",     "came back") \
	X("lost",         "handed_over",  "turned up, on its way") \
	X("lost",         "delivered",    "turned up at the customer's door") \
	X("lost",         "returned",     "turned up, back") \
	X("delivered",    "returned",     "came back after all")
/* clang-format on */
