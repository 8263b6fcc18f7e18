#include "enums.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char unspecified[] = "UNSPECIFIED";

size_t enum_prefix(const ProtobufCEnumDescriptor *d)
{
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(d, 0);
	size_t n = zero != NULL ? strlen(zero->name) : 0, m = sizeof(unspecified) - 1;

	return n >= m && strcmp(zero->name + n - m, unspecified) == 0 ? n - m : 0;
}

const char *enum_name(const ProtobufCEnumDescriptor *d, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(d, value);

	return v != NULL ? v->name + enum_prefix(d) : "?";
}

bool enum_value(const ProtobufCEnumDescriptor *d, const char *name, int *ret)
{
	size_t prefix = enum_prefix(d);

	for (unsigned i = 0; i < d->n_values; i++) {
		if (strcasecmp(d->values[i].name, name) != 0 &&
		    strcasecmp(d->values[i].name + prefix, name) != 0)
			continue;
		*ret = d->values[i].value;
		return true;
	}
	return false;
}

bool enum_word(const ProtobufCEnumDescriptor *d, unsigned i, char *to, size_t room)
{
	size_t prefix = enum_prefix(d), n = 0;
	const char *name;

	for (unsigned k = 0; k < d->n_values; k++) {
		name = d->values[k].name + prefix;
		if (strcmp(name, unspecified) == 0 || i-- > 0)
			continue;
		assert(strlen(name) < room);
		for (; name[n] != '\0'; n++)
			to[n] = (char)tolower((unsigned char)name[n]);
		to[n] = '\0';
		return true;
	}
	return false;
}
