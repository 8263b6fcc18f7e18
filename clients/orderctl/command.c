#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "orderctl.h"

_Noreturn void usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("orderctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
	exit(EXIT_USAGE);
}

const char *option(const struct args *a, const char *name)
{
	for (int i = a->n_options - 1; i >= 0; i--)
		if (strcmp(a->names[i], name) == 0)
			return a->values[i];
	return NULL;
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

bool flag(const struct args *a, const char *name)
{
	return option(a, name) != NULL;
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

ProtobufCBinaryData text(const char *z)
{
	return (ProtobufCBinaryData){z != NULL ? strlen(z) : 0, (uint8_t *)(uintptr_t)z};
}

/* A fresh one is a version 4 UUID. */
const char *request_id(struct args *a)
{
	static char fresh[37];
	uint8_t b[16];
	char *p = fresh;

	a->request_option = "request-id";
	a->request_id = option(a, "request-id");
	if (a->request_id != NULL)
		return a->request_id;
	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		usage_error("no random numbers to be had");
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", b[i]);
	}
	a->request_id = fresh;
	return fresh;
}

int enum_value(const ProtobufCEnumDescriptor *d, const char *prefix, const char *what,
	       const char *z)
{
	if (z == NULL)
		return 0;
	for (unsigned i = 0; i < d->n_values; i++)
		if (strcasecmp(d->values[i].name + strlen(prefix), z) == 0)
			return d->values[i].value;
	usage_error("there is no %s %s", what, z);
}
