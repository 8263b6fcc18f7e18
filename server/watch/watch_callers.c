#include "server/watch/watch_callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/seal.h"
#include "server/app.h"
#include "server/runtime/rpc.h"

enum { CALLERS_EXPECTED = 4096 };

struct watch_callers {
	struct watch_table table;
	int64_t most_each;
};

struct watch_callers *watch_callers_new(int64_t most_each)
{
	struct watch_callers *cs = mem_alloc(sizeof(*cs));

	watch_table_init(&cs->table, CALLERS_EXPECTED);
	cs->most_each = most_each;
	return cs;
}

void watch_callers_free(struct watch_callers *cs)
{
	watch_table_done(&cs->table);
	free(cs);
}

static struct id who(const struct identity *i)
{
	char text[IDENTITY_NAME_MAX + 64];
	uint8_t digest[DIGEST_BYTES];
	struct id id;
	int n = snprintf(text, sizeof(text), "%d|" STR_FMT, i->tenant, STR_ARG(i->subject));

	if (n >= (int)sizeof(text))
		n = (int)sizeof(text) - 1;
	digest_sha256((struct str){text, (size_t)n}, digest);
	memcpy(&id, digest, sizeof(id));
	return id;
}

/* Looks at each of the caller's: they are few, as bounded here. */
bool watch_callers_add(struct watch_callers *cs, struct flow *fl, struct watch_caller *c)
{
	int64_t n = 0;

	if (strcmp(rpc_app(fl)->cfg.auth, "none") == 0)
		return true;
	c->entry.order = who(rpc_identity(fl));
	for (struct watch_entry *e = watch_table_first(&cs->table, c->entry.order); e != NULL;
	     e = watch_table_next(e))
		n++;
	if (n >= cs->most_each)
		return false;
	watch_table_add(&cs->table, &c->entry);
	c->counted = true;
	return true;
}

void watch_callers_remove(struct watch_callers *cs, struct watch_caller *c)
{
	if (c->counted)
		watch_table_remove(&cs->table, &c->entry);
	c->counted = false;
}
