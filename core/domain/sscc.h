/*
 * SSCC-18: the number of one parcel, told from all others in the world (GS1 General
 * Specifications, 00).
 *
 *	extension digit | GS1 company prefix | serial | check digit
 *	`--------- the prefix ----------'   rest of 17     1
 *
 * The prefix belongs to the seller.  The serial takes the digits it leaves; it starts again
 * when they are used up, which GS1 allows a year after the parcel.  The database makes the
 * same numbers with sscc18(); a test compares the two.
 */
#ifndef ORDERD_DOMAIN_SSCC_H
#define ORDERD_DOMAIN_SSCC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/str.h"

enum {
	SSCC_DIGITS = 18,
	SSCC_SIZE = SSCC_DIGITS + 1, /* with the NUL */
	SSCC_PREFIX_MIN = 7,         /* extension digit included */
	SSCC_PREFIX_MAX = 11,
};

/* '0'..'9' for the first 17 digits; 0 when these are no 17 digits. */
char sscc_check_digit(struct str digits);

/* false: the prefix is not 7 to 11 digits, or the serial is below 0. */
bool sscc_make(struct str prefix, int64_t serial, char ret[SSCC_SIZE]);

/* 18 digits, the last of which follows from the others. */
bool sscc_is_valid(struct str sscc);

#endif
