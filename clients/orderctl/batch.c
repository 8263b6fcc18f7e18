#include "batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 digest;

/* What a line says, and how many lines have said it. */
struct said {
	digest what;
	uint32_t times; /* 0: this place is free */
};

struct batch {
	char name[BATCH_NAME_MAX + 1];
	struct said *said; /* open addressing */
	size_t n, room;    /* room is a power of two, at most half full */
};

static void *no_less(void *p)
{
	if (p == NULL)
		abort(); /* out of memory */
	return p;
}

struct batch *batch_new(const char *name)
{
	struct batch *b = no_less(calloc(1, sizeof(*b)));

	snprintf(b->name, sizeof(b->name), "%s", name);
	b->room = 1024;
	b->said = no_less(calloc(b->room, sizeof(*b->said)));
	return b;
}

void batch_free(struct batch *b)
{
	if (b != NULL)
		free(b->said);
	free(b);
}

/*
 * FNV-1a of 128 bits: two different lines do not meet by accident, and if somebody made them meet,
 * the server would refuse the second one: its request_id belongs to another request.
 */
static digest digest_of(const uint8_t *p, size_t n)
{
	const digest prime = (digest)1 << 88 | 0x13b;
	digest h = (digest)0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * prime;
	return h;
}

static struct said *place_of(struct said *said, size_t room, digest what)
{
	size_t i = (size_t)what & (room - 1);

	while (said[i].times > 0 && said[i].what != what)
		i = (i + 1) & (room - 1);
	return &said[i];
}

static void grow(struct batch *b)
{
	size_t room = b->room * 2;
	struct said *said = no_less(calloc(room, sizeof(*said)));

	for (size_t i = 0; i < b->room; i++)
		if (b->said[i].times > 0)
			*place_of(said, room, b->said[i].what) = b->said[i];
	free(b->said);
	b->said = said;
	b->room = room;
}

bool batch_request_id(struct batch *b, const ProtobufCMessage *m, char to[BATCH_ID_ROOM])
{
	size_t size = protobuf_c_message_get_packed_size(m);
	uint8_t *packed = no_less(malloc(size + 1));
	struct said *s;
	digest what;
	int n;

	protobuf_c_message_pack(m, packed);
	what = digest_of(packed, size);
	free(packed);
	if (b->n == BATCH_LINES_MAX)
		return false;
	if (b->n * 2 >= b->room)
		grow(b);
	s = place_of(b->said, b->room, what);
	if (s->times == 0)
		b->n++;
	s->what = what;
	s->times++;
	n = snprintf(to, BATCH_ID_ROOM, "%s-%016" PRIx64 "%016" PRIx64, b->name,
		     (uint64_t)(what >> 64), (uint64_t)what);
	if (s->times > 1)
		snprintf(to + n, BATCH_ID_ROOM - (size_t)n, "-%" PRIu32, s->times);
	return true;
}

enum line read_line(FILE *in, char *to, size_t *n)
{
	bool too_long = false;
	int c;

	*n = 0;
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (*n < LINE_BYTES_MAX)
			to[(*n)++] = (char)c;
		else
			too_long = true;
	}
	if (too_long)
		return LINE_TOO_LONG;
	return c == EOF && *n == 0 ? LINE_NONE : LINE_READ;
}
