#include "workers/freed.h"

#include "sql.gen.h"

int freed_ask(struct flow *fl, struct worker *w, int32_t tenant, struct id order)
{
	struct order_view_head *h = arena_alloc(&fl->arena, sizeof(*h));
	struct unit *u = arena_alloc(&fl->arena, sizeof(*u));

	if (h == NULL || u == NULL) {
		fl->err = ERR_TOO_LARGE;
		return FLOW_FAIL;
	}
	*h = (struct order_view_head){.tenant = tenant, .order_id = order};
	*u = order_view_unit(h, NULL, 0);
	return store_ask(fl, w->store, u);
}

void freed_got(struct worker *w, int32_t tenant, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++)
		queue_forget_stock(w->queue, tenant, order_view_row(a, i).item);
}
