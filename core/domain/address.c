#include "address.h"

#include <stdint.h>

enum { VERSION = 1, FIELDS = 8 };

static struct str *field(struct address *a, unsigned i)
{
	struct str *const fields[FIELDS] = {&a->name,        &a->street,  &a->city,  &a->region,
					    &a->postal_code, &a->country, &a->email, &a->phone};

	return fields[i];
}

struct str address_pack(const struct address *a, struct arena *arena)
{
	struct address copy = *a;
	size_t n = 1;
	uint8_t *out, *p;

	for (unsigned i = 0; i < FIELDS; i++) {
		if (field(&copy, i)->n > UINT16_MAX)
			return (struct str){0};
		n += 2 + field(&copy, i)->n;
	}
	out = p = arena_alloc(arena, n);
	if (out == NULL)
		return (struct str){0};
	*p++ = VERSION;
	for (unsigned i = 0; i < FIELDS; i++) {
		struct str s = *field(&copy, i);

		*p++ = (uint8_t)(s.n >> 8);
		*p++ = (uint8_t)s.n;
		if (s.n > 0)
			memcpy(p, s.p, s.n);
		p += s.n;
	}
	return (struct str){(const char *)out, n};
}

bool address_unpack(struct str packed, struct address *ret)
{
	const uint8_t *p = (const uint8_t *)packed.p, *end = p + packed.n;
	struct address a;

	if (packed.n < 1 || *p++ != VERSION)
		return false;
	for (unsigned i = 0; i < FIELDS; i++) {
		size_t n;

		if (end - p < 2)
			return false;
		n = (size_t)p[0] << 8 | p[1];
		p += 2;
		if ((size_t)(end - p) < n)
			return false;
		*field(&a, i) = (struct str){(const char *)p, n};
		p += n;
	}
	if (p != end)
		return false;
	*ret = a;
	return true;
}
