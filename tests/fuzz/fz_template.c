/*
 * Any bytes as a template: it ends, within its bounds, the same way twice; what it puts
 * out without raw tags holds nothing of a value that HTML would take for its own.
 */
#include <string.h>

#include "core/base/template.h"
#include "tests/fuzz/fuzz.h"

enum { MOST = 4096 };

#define EVIL "\x01<\">&'"

static const struct template_value row[] = {{"a", .text = {EVIL, sizeof(EVIL) - 1}},
					    {"e", .text = {NULL, 0}}};
static const struct template_table rows[] = {{row, 2}, {row, 1}, {row, 0}};
static const struct template_value values[] = {
	{"a", .text = {EVIL, sizeof(EVIL) - 1}},
	{"b", .text = {"b", 1}},
	{"f", .kind = TEMPLATE_FLAG, .flag = true},
	{"l", .kind = TEMPLATE_LIST, .rows = rows, .n_rows = 3},
	{"n", .kind = TEMPLATE_LIST},
};
static const struct template_table top = {values, 5};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str source = {(const char *)data, size};
	struct template_result once, again, plain;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	once = template_render(source, &top, TEMPLATE_HTML, MOST, &arena);
	again = template_render(source, &top, TEMPLATE_HTML, MOST, &arena);
	plain = template_render(source, &top, TEMPLATE_PLAIN, MOST, &arena);
	MUST(once.end != TEMPLATE_OK || (once.text.p != NULL && once.text.n <= MOST));
	MUST(once.end == TEMPLATE_OK || once.text.p == NULL);
	if (once.end == again.end)
		MUST(str_eq(once.text, again.text));
	else
		MUST(again.end == TEMPLATE_TOO_LARGE); /* the arena is what they share */
	if (once.end == TEMPLATE_OK && plain.end == TEMPLATE_OK)
		MUST(plain.text.n <= once.text.n);
	if (once.end == TEMPLATE_OK && memmem(data, size, "{{", 2) == NULL)
		MUST(str_eq(once.text, source));
	if (once.end == TEMPLATE_OK && memmem(data, size, "{{{", 3) == NULL &&
	    memmem(data, size, "{{&", 3) == NULL && memchr(data, 1, size) == NULL)
		MUST(memmem(once.text.p, once.text.n, "\x01<", 2) == NULL);
	arena_done(&arena);
	return 0;
}
