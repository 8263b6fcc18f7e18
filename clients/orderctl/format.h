/*
 * Values as people read them.
 */
#ifndef ORDERCTL_FORMAT_H
#define ORDERCTL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "orderd/client.h"

enum { MONEY_ROOM = 48, TIME_ROOM = 40 };

/* For printf's "%.*s". */
#define BYTES(b) (int)(b).len, (const char *)(b).data

/* "19.99 EUR", "1999 JPY", "-" for NULL */
void print_money(char *to, size_t room, const Orderd__V1__Money *m);

/* "2026-01-31T12:00:00.250Z", "-" for NULL; or with so many digits behind the point. */
void print_time(char *to, size_t room, const Google__Protobuf__Timestamp *t);
void print_time_to(char *to, size_t room, const Google__Protobuf__Timestamp *t, int digits);

/* RFC 3339 with any offset, as the JSON mapping has it; false: it is no such time. */
bool read_time(const char *z, Google__Protobuf__Timestamp *ret);

/* What states are called, without their prefix. */
const char *order_state(int value);
const char *payment_state(int value);
const char *fulfillment_state(int value);

#endif
