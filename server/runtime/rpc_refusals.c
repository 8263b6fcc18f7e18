/*
 * What the poller answers when it refuses: made at start, only referred to afterwards.  Levels of
 * them, the pauses of each fitting another backlog, and several of each level, so that those who
 * are refused together do not come back together.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/status.h"

static const int64_t level_ms[RPC_SHED_LEVELS] = {0, 500, 2000, 8000};

/* A slice that lives as long as the process and is shared by threads without counting. */
static grpc_slice fixed_slice(grpc_slice take)
{
	size_t n = GRPC_SLICE_LENGTH(take);
	char *p = mem_alloc(n + 1);

	memcpy(p, GRPC_SLICE_START_PTR(take), n);
	grpc_slice_unref(take);
	return grpc_slice_from_static_buffer(p, n);
}

static void make(struct status *ret, int64_t backlog_ms)
{
	status_make(ret, ERR_OVERLOADED, NULL, backlog_ms);
	ret->text = fixed_slice(ret->text);
	for (size_t k = 0; k < ret->n_trailers; k++)
		ret->trailers[k].value = fixed_slice(ret->trailers[k].value);
}

void rpc_refusals_make(struct rpc_server *s)
{
	for (int l = 0; l < RPC_SHED_LEVELS; l++)
		for (int i = 0; i < RPC_SHED_STATUSES; i++)
			make(&s->shed[l][i], level_ms[l]);
}

static void unmake(struct status *st)
{
	// NOLINTBEGIN(clang-analyzer-unix.Malloc): each slice was made of its own copy
	free(GRPC_SLICE_START_PTR(st->text));
	for (size_t k = 0; k < st->n_trailers; k++)
		free(GRPC_SLICE_START_PTR(st->trailers[k].value));
	// NOLINTEND(clang-analyzer-unix.Malloc)
}

void rpc_refusals_free(struct rpc_server *s)
{
	for (int l = 0; l < RPC_SHED_LEVELS; l++)
		for (int i = 0; i < RPC_SHED_STATUSES; i++)
			unmake(&s->shed[l][i]);
}

const struct status *rpc_refusal(const struct rpc_server *s)
{
	static unsigned turn; /* poller only */
	int64_t backlog_ms = atomic_load_explicit(&s->backlog_ms, memory_order_relaxed);
	int level = 0;

	while (level + 1 < RPC_SHED_LEVELS && level_ms[level + 1] <= backlog_ms)
		level++;
	return &s->shed[level][turn++ % RPC_SHED_STATUSES];
}
