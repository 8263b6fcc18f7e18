/*
 * What commands ask of their command line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "enums.h"
#include "orderctl.h"

static const struct command *named; /* what is wrong is wrong with this one */

void usage_error_is_about(const struct command *c)
{
	named = c;
}

_Noreturn void usage_error(const char *fmt, ...)
{
	char name[64];
	va_list ap;

	fputs("orderctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
	if (named != NULL) {
		command_name(named, name, sizeof(name));
		fprintf(stderr, "  see: orderctl help %s\n", name);
	}
	exit(EXIT_USAGE);
}

static int last(const struct args *a, const char *name)
{
	int i = a->n_options - 1;

	while (i >= 0 && strcmp(a->names[i], name) != 0)
		i--;
	return i;
}

const char *option(const struct args *a, const char *name)
{
	int i = last(a, name);

	return i >= 0 ? a->values[i] : NULL;
}

bool flag(const struct args *a, const char *name)
{
	return last(a, name) >= 0;
}

const char *option_or(const struct args *a, const char *name, const char *otherwise)
{
	const char *v = option(a, name);

	return v != NULL ? v : otherwise;
}

const char *need(const struct args *a, const char *name)
{
	const char *v = option(a, name);

	if (v == NULL || *v == '\0')
		usage_error("--%s is required", name);
	return v;
}

const char *word(const struct args *a, int i, const char *what)
{
	if (i >= a->n_words)
		usage_error("%s is required", what);
	return a->words[i];
}

size_t options(const struct args *a, const char *name, ProtobufCBinaryData *values)
{
	size_t n = 0;

	for (int i = 0; i < a->n_options; i++)
		if (strcmp(a->names[i], name) == 0)
			values[n++] = text(a->values[i]);
	return n;
}

int64_t number(const char *z, const char *what)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(z, &end, 10);
	if (*z == '\0' || *end != '\0' || errno != 0)
		usage_error("%s is not a whole number: %s", what, z);
	return n;
}

int32_t small_number(const char *z, const char *what)
{
	int64_t n = number(z, what);

	if (n < INT32_MIN || n > INT32_MAX)
		usage_error("%s is out of range: %s", what, z);
	return (int32_t)n;
}

int enum_option(const struct args *a, const char *name, const ProtobufCEnumDescriptor *d)
{
	const char *z = option(a, name);
	int value = 0;

	if (z != NULL && !enum_value(d, z, &value))
		usage_error("--%s cannot be %s", name, z);
	return value;
}

Google__Protobuf__Timestamp *time_option(const struct args *a, const char *name,
					 Google__Protobuf__Timestamp *at)
{
	const char *z = option(a, name);

	if (z == NULL)
		return NULL;
	google__protobuf__timestamp__init(at);
	if (!read_time(z, at))
		usage_error("--%s is not a time like 2026-01-31T12:00:00Z: %s", name, z);
	return at;
}

ProtobufCBinaryData text(const char *z)
{
	return (ProtobufCBinaryData){z != NULL ? strlen(z) : 0, (uint8_t *)(uintptr_t)z};
}

void fresh_id(char to[ID_ROOM])
{
	uint8_t b[16];
	char *p = to;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		usage_error("no random numbers to be had");
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", b[i]);
	}
}

const char *request_id(struct args *a)
{
	static char fresh[ID_ROOM];

	a->outcome = true;
	a->request_option = "request-id";
	a->request_id = option(a, "request-id");
	if (a->request_id != NULL)
		return a->request_id;
	fresh_id(fresh);
	a->request_id = fresh;
	return fresh;
}

const char *report_id(struct args *a)
{
	a->outcome = true;
	a->request_option = "report";
	a->request_id = need(a, "report");
	return a->request_id;
}

int done_with(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return EXIT_DONE;
}
