/* What the chapters of a life share: lives.c tells it, lives_payment.c and lives_parcels.c know how. */
#ifndef ORDERD_TESTS_STORE_LIVES_INSIDE_H
#define ORDERD_TESTS_STORE_LIVES_INSIDE_H

#include "lives.h"

enum { LONG_S = 3600 }; /* longer than any test: leases, expiries and delays that do not end */

struct job {
	struct id id;
	int64_t epoch;
};

#define AT_JOB(l, j) \
	.tenant = 1, .order_id = (l)->order, .group_no = 1, .job_id = (j).id, .epoch = (j).epoch

/* ---- lives.c ---- */

struct str text_of(struct id id);
struct id id_from(const char *sql);
/* The order's only ready job of this kind. */
struct job claim(struct life *l, const char *kind);

/* ---- lives_payment.c: of the latest order ---- */

struct job begin(struct life *l);
void authorize(struct life *l, struct job j);
void give_money_back(struct life *l);
void decline(struct life *l, struct job j);
void await_customer(struct life *l, struct job j);
struct job look_again(struct life *l);
void bring_another_card(struct life *l);
void renew(struct life *l);
void doubt(struct life *l, struct job j);

/* ---- lives_parcels.c ---- */

void ship(struct life *l);
void deliver(struct life *l);
void hear(struct life *l);
void confirm_short(struct life *l);

#endif
