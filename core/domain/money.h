/*
 * Money is an integer of minor units with its currency, added by money_add(), never by +.
 * A sum that does not fit or mixes currencies is an answer (false), not a number.
 */
#ifndef ORDERD_DOMAIN_MONEY_H
#define ORDERD_DOMAIN_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/str.h"

/* 2^53 - 1: what every JSON reader on the way keeps exactly; 90 million million euros. */
#define MONEY_MAX_MINOR INT64_C(9007199254740991)

struct money {
	char currency[4]; /* ISO 4217, upper case, NUL-terminated */
	int64_t minor;    /* 0..MONEY_MAX_MINOR in everything orderd stores */
};

bool money_currency(struct str code, char ret_currency[4]); /* three upper-case letters */
bool money_of(struct str code, int64_t minor, struct money *ret);
/* false: overflow or another currency; *sum is as before */
bool money_add(struct money *sum, struct money more);
bool money_times(struct money unit, int64_t quantity, struct money *ret);

/* Digits of the minor unit (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD. */
int money_digits(const char *currency);

enum { MONEY_TEXT_SIZE = 32 }; /* the largest amount with its currency, and a NUL */

/* For people: "EUR 1,234.50", "JPY 500"; exact.  Returns buf. */
char *money_format(struct money m, char buf[MONEY_TEXT_SIZE]);

#endif
