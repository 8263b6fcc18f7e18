/*
 * Payment methods by the names Stripe documents for tests ("Testing", docs.stripe.com).
 * The longer form with a brand (pm_card_visa_chargeDeclined) means the same.
 */
#include <string.h>

#include "sims/gateway_part.h"

/* clang-format off */
static const struct card cards[] = {
	{"visa",       "visa",       "4242", NULL, NULL, NULL, false},
	{"mastercard", "mastercard", "4444", NULL, NULL, NULL, false},
	{"amex",       "amex",       "8431", NULL, NULL, NULL, false},
	{"chargeDeclined",                      "visa", "0002", "card_declined", "generic_decline", "The card was declined.", false},
	{"chargeDeclinedInsufficientFunds",     "visa", "9995", "card_declined", "insufficient_funds", "The card has insufficient funds.", false},
	{"chargeDeclinedLostCard",              "visa", "9987", "card_declined", "lost_card", "The card was declined.", false},
	{"chargeDeclinedStolenCard",            "visa", "9979", "card_declined", "stolen_card", "The card was declined.", false},
	{"chargeDeclinedVelocityLimitExceeded", "visa", "6975", "card_declined", "card_velocity_exceeded", "The card was used too often.", false},
	{"chargeDeclinedExpiredCard",           "visa", "0069", "expired_card", "expired_card", "The card has expired.", false},
	{"chargeDeclinedIncorrectCvc",          "visa", "0127", "incorrect_cvc", "incorrect_cvc", "The security code is wrong.", false},
	{"chargeDeclinedProcessingError",       "visa", "0119", "processing_error", "processing_error", "The card could not be processed.", false},
	{"authenticationRequired",              "visa", "3184", NULL, NULL, NULL, true},
	{"threeDSecure2Required",               "visa", "3220", NULL, NULL, NULL, true},
	{"threeDSecureRequired",                "visa", "3063", NULL, NULL, NULL, true},
};

/* clang-format on */

const struct card *card_by_name(const char *payment_method)
{
	const char *name = payment_method;
	size_t i;

	if (strncmp(name, "pm_card_", 8) != 0)
		return NULL;
	name += 8;
	if (strncmp(name, "visa_", 5) == 0)
		name += 5;
	for (i = 0; i < sizeof(cards) / sizeof(cards[0]); i++)
		if (strcmp(cards[i].name, name) == 0)
			return &cards[i];
	return NULL;
}
