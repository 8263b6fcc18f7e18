#include "core/domain/machine.h"

#include "core/base/show.h"
#include "core/domain/bucket_table.h"
#include "core/domain/machine_table.h"
#include "core/domain/order_table.h"

/* clang-format off */
#define X(name, text) static const char order_##name[] = text;
ORDER_STATE_TABLE(X)
#undef X
#define X(name, text) static const char unit_##name[] = text;
BUCKET_TABLE(X)
#undef X

static const struct move order_moves[] = {
	{NULL, order_PENDING, "placed"},
#define X(from, to, why) {order_##from, order_##to, why},
	ORDER_EDGE_TABLE(X)
#undef X
};

static const struct move unit_moves[] = {
	{NULL, unit_OUTSIDE, "goods nobody has"},
	{NULL, unit_UNASSIGNED, "ordered"},
#define X(from, to, why) {unit_##from, unit_##to, why},
	BUCKET_EDGE_TABLE(X)
#undef X
};

#define X(from, to, why) {from, to, why},
static const struct move payment_moves[] = {PAYMENT_MOVE_TABLE(X)};
static const struct move fulfillment_moves[] = {FULFILLMENT_MOVE_TABLE(X)};
static const struct move job_moves[] = {JOB_MOVE_TABLE(X)};
static const struct move shipment_moves[] = {SHIPMENT_MOVE_TABLE(X)};
#undef X

#define MOVES(table) (table), sizeof(table) / sizeof((table)[0])

const struct machine machines[MACHINES] = {
	{"order",       "An order",                      MOVES(order_moves)},
	{"payment",     "The payment of a group",        MOVES(payment_moves)},
	{"fulfillment", "A fulfilment order",            MOVES(fulfillment_moves)},
	{"shipment",    "A shipment",                    MOVES(shipment_moves)},
	{"job",         "A job",                         MOVES(job_moves)},
	{"unit",        "A unit of goods",               MOVES(unit_moves)},
};

/* clang-format on */

static void show_machine(struct show *s, const struct machine *m)
{
	for (size_t i = 0; i < m->n_moves && show_row(s); i++) {
		show_text(s, m->name);
		show_text(s, m->moves[i].from);
		show_text(s, m->moves[i].to);
		show_text(s, m->moves[i].why);
	}
}

static void show_states(struct show *s, const void *none)
{
	(void)none;
	for (size_t i = 0; i < MACHINES; i++)
		show_machine(s, &machines[i]);
}

void machines_offer(struct show_board *b)
{
	show_offer(b, SHOW_states, show_states, machines);
}
