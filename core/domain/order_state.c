#include "order_state.h"

#include <assert.h>

/* clang-format off */
#define X(name, text) [ORDER_##name] = text,
static const char *const order_names[] = {ORDER_STATE_TABLE(X)};
#undef X
#define X(name, text) [PAYMENT_##name] = text,
static const char *const payment_names[] = {PAYMENT_STATE_TABLE(X)};
#undef X
#define X(name, text) [FULFILLMENT_##name] = text,
static const char *const fulfillment_names[] = {FULFILLMENT_STATE_TABLE(X)};
#undef X
#define X(name, text) [BUCKET_##name] = text,
static const char *const bucket_names[] = {BUCKET_TABLE(X)};
#undef X
#define X(from, to, why) [ORDER_##from][ORDER_##to] = (why),
static const char *const order_edges[ORDER_STATES][ORDER_STATES] = {ORDER_EDGE_TABLE(X)};
#undef X
#define X(from, to, why) [BUCKET_##from][BUCKET_##to] = (why),
static const char *const bucket_edges[BUCKETS][BUCKETS] = {BUCKET_EDGE_TABLE(X)};
#undef X

/* clang-format on */

static unsigned find(const char *const *names, unsigned n, struct str text)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq(str_of(names[i]), text))
			return i;
	return n;
}

const char *order_state_name(enum order_state s)
{
	assert(s < ORDER_STATES);
	return order_names[s];
}

const char *payment_state_name(enum payment_state s)
{
	assert(s < PAYMENT_STATES);
	return payment_names[s];
}

const char *fulfillment_state_name(enum fulfillment_state s)
{
	assert(s < FULFILLMENT_STATES);
	return fulfillment_names[s];
}

const char *bucket_name(enum bucket b)
{
	assert(b < BUCKETS);
	return bucket_names[b];
}

enum order_state order_state_of(struct str text)
{
	return (enum order_state)find(order_names, ORDER_STATES, text);
}

enum payment_state payment_state_of(struct str text)
{
	return (enum payment_state)find(payment_names, PAYMENT_STATES, text);
}

enum fulfillment_state fulfillment_state_of(struct str text)
{
	return (enum fulfillment_state)find(fulfillment_names, FULFILLMENT_STATES, text);
}

const char *order_edge_why(enum order_state from, enum order_state to)
{
	assert(from < ORDER_STATES && to < ORDER_STATES);
	return order_edges[from][to];
}

const char *bucket_edge_why(enum bucket from, enum bucket to)
{
	assert(from < BUCKETS && to < BUCKETS);
	return bucket_edges[from][to];
}

bool order_state_is_final(enum order_state s)
{
	for (unsigned to = 0; to < ORDER_STATES; to++)
		if (order_edge_why(s, (enum order_state)to) != NULL)
			return false;
	return true;
}
