/*
 * Reading payments back: the questions, and from their answers to the messages of the contract.
 */
#ifndef ORDERD_SERVER_PAYMENT_MESSAGE_H
#define ORDERD_SERVER_PAYMENT_MESSAGE_H

#include <stdbool.h>

#include "core/base/id.h"
#include "core/flow/flow.h"
#include "orderd/v1/payment_service.pb-c.h"

enum { PAYMENTS_MAX = 1000 }; /* of one order in one answer */

/* An order's payments, of groups after this one, in this state (empty: in any), at most so many. */
int ask_payments(struct flow *fl, struct id order, struct str state, int16_t after_group,
		 int32_t most);

/*
 * The first `n` rows of an answer of payment_view or payments_waiting.  false with fl->err set:
 * they do not fit.
 */
bool payments_message(struct flow *fl, const struct answer *a, uint32_t n,
		      Orderd__V1__Payment ***ret);
bool waiting_payments_message(struct flow *fl, const struct answer *a, uint32_t n,
			      Orderd__V1__Payment ***ret);

/* Beside one payment: how it came to this. */
bool payment_add_attempts(struct flow *fl, Orderd__V1__Payment *p, const struct answer *a);
bool payment_add_transactions(struct flow *fl, Orderd__V1__Payment *p, const struct answer *a);

#endif
