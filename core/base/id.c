/*
 * UUIDv7 with a shard inside (layout: id.h; RFC 9562 sections 5.7, 5.8 and 6.2).
 */
#include "core/base/id.h"

#include <assert.h>

#include <openssl/sha.h>

#include "core/base/clock.h"
#include "core/base/random.h"

enum {
	COUNTER_MAX = 63,
	AHEAD_MAX_MS = 60 * 1000, /* a clock set back further than this is believed */
	NAME_MAX_BYTES = 256,     /* of id_derive() */
};

/* When the last id of this thread was made, and its number within that millisecond. */
static _Thread_local struct {
	uint64_t ms;
	unsigned counter;
} last;

static void tick(void)
{
	uint64_t now = (uint64_t)(clock_wall_us() / 1000);

	if (now > last.ms || now + AHEAD_MAX_MS < last.ms) {
		last.ms = now;
		last.counter = 0;
	} else if (last.counter < COUNTER_MAX) {
		last.counter++;
	} else {
		last.ms++;
		last.counter = 0;
	}
}

static void put_shard(struct id *id, unsigned version, unsigned shard)
{
	id->b[6] = (uint8_t)(version << 4 | shard >> 2);
	id->b[7] = (uint8_t)((shard & 3) << 6 | (id->b[7] & 0x3f));
}

static struct id make(unsigned shard)
{
	struct id id;

	tick();
	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(last.ms >> (40 - 8 * i));
	id.b[7] = (uint8_t)last.counter;
	put_shard(&id, 7, shard);
	random_bytes(id.b + 8, 8);
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

struct id id_new(void)
{
	return make((unsigned)random_below(ID_SHARDS));
}

struct id id_child(struct id parent)
{
	return make(id_shard(parent));
}

unsigned id_shard(struct id id)
{
	return (unsigned)(id.b[6] & 0x0f) << 2 | (unsigned)id.b[7] >> 6;
}

/* Version 8 (RFC 9562 section 5.8: "custom"): its bits are a hash, no time is in it. */
struct id id_derive(struct id parent, const char *name)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	unsigned char text[sizeof(parent.b) + NAME_MAX_BYTES];
	size_t n = strlen(name);
	struct id id;

	assert(n <= NAME_MAX_BYTES);
	memcpy(text, parent.b, sizeof(parent.b));
	memcpy(text + sizeof(parent.b), name, n); // NOLINT(bugprone-not-null-terminated-result)
	SHA256(text, sizeof(parent.b) + n, digest);
	memcpy(id.b, digest, sizeof(id.b));
	put_shard(&id, 8, id_shard(parent));
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

/* Does a hyphen stand before byte i of the canonical form? */
static bool hyphen_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

char *id_format(struct id id, char buf[ID_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	char *p = buf;

	for (size_t i = 0; i < sizeof(id.b); i++) {
		if (hyphen_before(i))
			*p++ = '-';
		*p++ = hex[id.b[i] >> 4];
		*p++ = hex[id.b[i] & 0x0f];
	}
	*p = '\0';
	return buf;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool id_parse(struct str text, struct id *ret)
{
	const char *p = text.p;
	struct id id;

	if (text.n != ID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < sizeof(id.b); i++) {
		int high, low;

		if (hyphen_before(i) && *p++ != '-')
			return false;
		high = hex_value(*p++);
		low = hex_value(*p++);
		if (high < 0 || low < 0)
			return false;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	*ret = id;
	return true;
}
