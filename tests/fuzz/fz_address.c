/*
 * An address unpacked from any bytes packs to the same bytes, and one packed from any
 * texts unpacks to the same texts.
 */
#include <string.h>

#include "core/domain/address.h"
#include "tests/fuzz/fuzz.h"

static void unpacks_to_what_packs_the_same(struct str packed, struct arena *arena)
{
	struct address a;
	struct str again;

	if (!address_unpack(packed, &a))
		return;
	again = address_pack(&a, arena);
	MUST(again.p == NULL || str_eq(again, packed));
}

static void packs_to_what_unpacks_the_same(struct input in, struct arena *arena)
{
	struct address a, b;
	struct str packed;

	a.name = take_str(&in, take_u8(&in));
	a.street = take_str(&in, take_u8(&in));
	a.city = take_str(&in, take_u8(&in));
	a.region = take_str(&in, take_u8(&in));
	a.postal_code = take_str(&in, take_u8(&in));
	a.country = take_str(&in, take_u8(&in));
	a.email = take_str(&in, take_u8(&in));
	a.phone = in.n > 0 ? take_str(&in, in.n) : (struct str){0};
	packed = address_pack(&a, arena);
	if (packed.p == NULL)
		return;
	MUST(address_unpack(packed, &b));
	MUST(str_eq(a.name, b.name) && str_eq(a.street, b.street) && str_eq(a.city, b.city));
	MUST(str_eq(a.region, b.region) && str_eq(a.postal_code, b.postal_code));
	MUST(str_eq(a.country, b.country) && str_eq(a.email, b.email) && str_eq(a.phone, b.phone));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	unpacks_to_what_packs_the_same((struct str){(const char *)data, size}, &arena);
	packs_to_what_unpacks_the_same((struct input){data, size}, &arena);
	arena_done(&arena);
	return 0;
}
