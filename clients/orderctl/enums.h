/*
 * Enum values as people write them: ORDER_STATE_PENDING is PENDING, or "pending".
 */
#ifndef ORDERCTL_ENUMS_H
#define ORDERCTL_ENUMS_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

/* Bytes that every name of this enum begins with: those of its zero value without UNSPECIFIED. */
size_t enum_prefix(const ProtobufCEnumDescriptor *d);

/* Without its prefix; "?" for a value this program does not know. */
const char *enum_name(const ProtobufCEnumDescriptor *d, int value);

/* In any case, with or without the prefix; false: there is none. */
bool enum_value(const ProtobufCEnumDescriptor *d, const char *name, int *ret);

/* The i-th value that means something, in small letters; false: there are no more. */
bool enum_word(const ProtobufCEnumDescriptor *d, unsigned i, char *to, size_t room);

#endif
