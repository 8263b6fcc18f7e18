#include "workers/freed.h"

#include "sql.gen.h"

int freed_ask(struct flow *fl, struct worker *w, int32_t tenant, struct id order)
{
	struct order_view_head h = {.tenant = tenant, .order_id = order};

	return store_ask(fl, w->store, order_view_unit(&h, NULL, 0));
}

void freed_got(struct worker *w, int32_t tenant, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++)
		queue_forget_stock(w->queue, tenant, order_view_row(a, i).item);
}
