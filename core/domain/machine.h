/*
 * Every state machine of the trade, as one table: what moves, from where to where, and why.
 * docs/states.md and the view `states` are made from it.
 */
#ifndef ORDERD_DOMAIN_MACHINE_H
#define ORDERD_DOMAIN_MACHINE_H

#include <stddef.h>

struct show_board;

struct move {
	const char *from; /* NULL: it begins in `to` */
	const char *to, *why;
};

struct machine {
	const char *name;  /* "order", one word */
	const char *title; /* "An order" */
	const struct move *moves;
	size_t n_moves;
};

enum { MACHINES = 6 };

extern const struct machine machines[MACHINES];

/* View: states (core/base/show.h). */
void machines_offer(struct show_board *b);

#endif
