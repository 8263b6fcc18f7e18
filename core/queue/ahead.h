/*
 * What a reader has read and its worker has no room for yet, in the order it came.
 */
#ifndef ORDERD_QUEUE_AHEAD_H
#define ORDERD_QUEUE_AHEAD_H

#include "core/queue/queue.h"
#include "core/queue/redis_uv.h"

enum { AHEAD_MAX = 1024 };

struct ahead {
	struct queue *q;
	enum queue_role role;
	int64_t since_ms; /* when the oldest came */
	uint32_t at, n;
	struct delivery items[AHEAD_MAX];
};

bool ahead_pop(struct ahead *a, struct delivery *ret);

/* What has waited here for a lease is somebody else's by now, or ours again by the next claim. */
void ahead_forget_older(struct ahead *a, int lease_ms);

/* Take deliveries out of what Redis answered; returns how many entries there were. */
size_t ahead_take_streams(struct ahead *a, const redisReply *streams); /* of XREADGROUP */
size_t ahead_take_entries(struct ahead *a, uint16_t stream, const redisReply *entries);

#endif
