/*
 * What callers bound to a customer are told of an order's history.  Others are told everything.
 *
 * Nobody's name is told them (OrderEvent.actor, TrackingScan.source), nor why a location ships
 * (PlaceOrderResponse.sourcing_reasons).  Of the rest, what has a row below; what has none is the
 * shop's own, so that a kind of event, hold or refusal nobody has thought of here is not told.
 */
#ifndef ORDERD_SERVER_CUSTOMER_TABLE_H
#define ORDERD_SERVER_CUSTOMER_TABLE_H

/*
 * Kinds of events, each with what is told of its detail:
 *	NOTHING
 *	DETAIL		all of it
 *	CODE		the code of a refusal, if CUSTOMER_CODE_TABLE has it
 * Any other is told as CUSTOMER_EVENT_OTHER without a detail: its number, time and states are as
 * they are, so that a timeline has no gaps.
 */
#define CUSTOMER_EVENT_OTHER "updated"

/* clang-format off */
#define CUSTOMER_EVENT_TABLE(X) \
	X("placed",                  NOTHING) \
	X("payment_authorized",      NOTHING) \
	X("payment_action_required", NOTHING) \
	X("payment_declined",        CODE) \
	X("payment_retried",         NOTHING) \
	X("payment_captured",        NOTHING) \
	X("payment_voided",          NOTHING) \
	X("confirmed",               NOTHING) \
	X("picked",                  NOTHING) \
	X("packed",                  NOTHING) \
	X("delayed",                 DETAIL) \
	X("label_bought",            DETAIL) \
	X("shipped",                 NOTHING) \
	X("tracking",                DETAIL) \
	X("tracking_exception",      DETAIL) \
	X("delivered",               DETAIL) \
	X("returned_to_sender",      DETAIL) \
	X("returned",                DETAIL) \
	X("completed",               NOTHING) \
	X("rejected",                NOTHING) \
	X("cancel_requested",        NOTHING) \
	X("cancelled",               NOTHING) \
	X("expired",                 NOTHING)

/* Reasons of holds, and what is told of their detail.  Any other hold is left out. */
#define CUSTOMER_HOLD_TABLE(X) \
	X("inventory", DETAIL) \
	X("payment",   CODE) \
	X("returned",  DETAIL)

/*
 * Codes of refused payments by which a customer knows what to do next.  Any other - suspicion, a card
 * reported lost - is told as CUSTOMER_CODE_OTHER.
 */
#define CUSTOMER_CODE_OTHER "generic_decline"

#define CUSTOMER_CODE_TABLE(X) \
	X("authentication_required") \
	X("authentication_timeout") \
	X("card_declined") \
	X("card_not_supported") \
	X("currency_not_supported") \
	X("expired_card") \
	X("incorrect_cvc") \
	X("incorrect_number") \
	X("incorrect_zip") \
	X("insufficient_funds") \
	X("invalid_cvc") \
	X("invalid_expiry_month") \
	X("invalid_expiry_year") \
	X("invalid_number") \
	X("processing_error") \
	X("try_again_later") \
	X("withdrawal_count_limit_exceeded")
/* clang-format on */

#endif
