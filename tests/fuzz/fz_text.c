/*
 * Text from outside, as the API, Redis and the configuration see it: what is accepted
 * comes back the same, what is logged stays one line, what was not sealed does not open.
 */
#include <string.h>

#include <jansson.h>

#include "core/base/id.h"
#include "core/base/log.h"
#include "core/base/log_json.h"
#include "core/base/seal.h"
#include "tests/fuzz/fuzz.h"

static void ids_read_as_written(struct str s)
{
	char text[ID_TEXT_SIZE];
	struct id id, again;

	if (!id_parse(s, &id))
		return;
	MUST(s.n == ID_TEXT_SIZE - 1);
	MUST(id_parse(str_of(id_format(id, text)), &again) && id_eq(id, again));
	MUST(id_shard(id) < ID_SHARDS);
}

static void numbers_stay_in_range(struct str s)
{
	long long v = 77;

	if (str_to_i64(s, -1000, 1000000, &v))
		MUST(v >= -1000 && v <= 1000000);
	else
		MUST(v == 77);
}

static void text_is_made_of_characters(struct str s)
{
	size_t n, at = 0;

	while ((n = str_char_length((struct str){s.p + at, s.n - at})) > 0)
		at += n;
	MUST(at <= s.n);
	MUST(str_is_text(s) == (at == s.n));
}

static void log_stays_on_one_line(struct str s)
{
	const char *q = log_quote(s.p, (int)s.n);
	size_t n = strlen(q);

	MUST(n >= 2 && q[0] == '"' && q[n - 1] == '"');
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)q[i] >= 0x20 && (unsigned char)q[i] != 0x7f);
}

/* What was quoted is read back from JSON: as it was if it is text, and within its value always. */
static void json_says_the_same(struct str s)
{
	char line[1024], json[4096];
	const char *quoted = log_quote(s.p, (int)s.n);
	int n = snprintf(line, sizeof(line), "level=info a=%s b=7", quoted);
	size_t len = log_json((struct str){line, (size_t)n}, json, sizeof(json));
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	const json_t *a = json_object_get(o, "a");

	MUST(json_object_size(o) == 3 && json_integer_value(json_object_get(o, "b")) == 7);
	if (str_is_text(s) && strlen(quoted) < 480)
		MUST(str_eq((struct str){json_string_value(a), json_string_length(a)}, s));
	json_decref(o);
}

/* Any line, any room: an object. */
static void json_is_whole(struct str s)
{
	char json[512];
	size_t room = LOG_JSON_LEAST + (s.n > 0 ? (unsigned char)s.p[0] : 0);
	size_t n = log_json(s, json, room);
	json_t *o = json_loadb(json, n, JSON_ALLOW_NUL, NULL);

	MUST(n <= room && json_is_object(o) && memchr(json, '\n', n) == NULL);
	json_decref(o);
}

/* No more is cut off than the start of one escape or character. */
static void cut_is_short(struct str s)
{
	bool open, again;
	size_t n = log_cut(s, &open);

	MUST(n <= s.n && s.n - n < 4);
	if (str_is_text((struct str){s.p, n}))
		MUST(log_cut((struct str){s.p, n}, &again) == n && open == again);
}

static void nothing_forged_opens(struct str s)
{
	static const struct seal_key key = {{1, 2, 3}};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	MUST(seal_open(&key, 1, (struct id){{9}}, s, &arena).p == NULL);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the exact size, so that reading one byte too many is seen. */
	char *copy = malloc(size + 1);
	struct str s = {copy, size};

	MUST(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	ids_read_as_written(s);
	numbers_stay_in_range(s);
	text_is_made_of_characters(s);
	if (size <= 65536)
		log_stays_on_one_line(s);
	if (size <= 65536)
		json_says_the_same(s);
	json_is_whole(s);
	cut_is_short(s);
	nothing_forged_opens(s);
	free(copy);
	return 0;
}
