/*
 * Check is one step.  Watch keeps one thing per stream: the status last sent.  When the
 * status changes while a message is on its way nothing is queued; on_sent looks again, so
 * a slow watcher misses what has passed and learns what is.
 */
#include "server/runtime/health.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "grpc/health/v1/health.pb-c.h"
#include "server/runtime/rpc_runtime.h"

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;
#define SERVING         GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
#define NOTHING_YET     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__UNKNOWN

struct health_watch {
	struct health_watch *next, *prev;
	struct flow *fl;
	serving_status sent;
	const struct health_service *service; /* it asked about; NULL: one we do not have */
};

struct health {
	const struct health_service *services;
	size_t n;
	struct health_service all; /* the server itself */
	unsigned there;
	bool leaving;
	struct health_watch *watches;
};

static struct health *health_of(struct flow *fl)
{
	return rpc_of(fl)->server->health;
}

static struct str service_of(struct flow *fl)
{
	const Grpc__Health__V1__HealthCheckRequest *rq = rpc_request(fl);

	return (struct str){(const char *)rq->service.data, rq->service.len};
}

static const struct health_service *find_service(const struct health *h, struct str name)
{
	if (name.n == 0)
		return &h->all;
	for (size_t i = 0; i < h->n; i++)
		if (str_eq(str_of(h->services[i].name), name))
			return &h->services[i];
	return NULL;
}

static serving_status status_now(const struct health *h, const struct health_service *service)
{
	if (service == NULL)
		return SERVICE_UNKNOWN;
	return !h->leaving && (service->needs & ~h->there) == 0 ? SERVING : NOT_SERVING;
}

/* ---- Check ---- */

enum { CHECK, DONE };

static int ask_check(struct flow *fl)
{
	Grpc__Health__V1__HealthCheckResponse rs = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	rs.status = status_now(health_of(fl), find_service(health_of(fl), service_of(fl)));
	if (rs.status == SERVICE_UNKNOWN)
		return rpc_fail_text(fl, ERR_NOT_FOUND, "unknown service");
	return rpc_ok(fl, &rs.base);
}

static const struct flow_step check_steps[] = {
	[CHECK] = {"check", ask_check, NULL, 0, DONE, TO(DONE)},
	[DONE] = {"done"},
};

const struct rpc_method RPC_HEALTH_CHECK = {
	.path = "/grpc.health.v1.Health/Check",
	.name = "health_check",
	.kind = RPC_UNARY,
	.class = RPC_PROBE,
	.open = true, /* load balancers and supervisors have no credentials */
	.request = &grpc__health__v1__health_check_request__descriptor,
	.response = &grpc__health__v1__health_check_response__descriptor,
	.steps = check_steps,
};

/* ---- Watch ---- */

static void tell(struct health *h, struct health_watch *w)
{
	Grpc__Health__V1__HealthCheckResponse rs = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	rs.status = status_now(h, w->service);
	if (rs.status == w->sent || !rpc_can_send(w->fl))
		return;
	w->sent = rs.status;
	rpc_send(w->fl, &rs.base);
}

static void on_open(struct flow *fl)
{
	struct health_watch *w = rpc_state(fl);
	struct health *h = health_of(fl);

	*w = (struct health_watch){.next = h->watches,
				   .fl = fl,
				   .sent = NOTHING_YET,
				   .service = find_service(h, service_of(fl))};
	if (w->next != NULL)
		w->next->prev = w;
	h->watches = w;
	tell(h, w);
}

static void on_sent(struct flow *fl)
{
	tell(health_of(fl), rpc_state(fl));
}

static void on_close(struct flow *fl)
{
	struct health_watch *w = rpc_state(fl);

	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		health_of(fl)->watches = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
}

static const struct rpc_stream watch_stream = {
	.on_open = on_open, .on_sent = on_sent, .on_close = on_close};

const struct rpc_method RPC_HEALTH_WATCH = {
	.path = "/grpc.health.v1.Health/Watch",
	.name = "health_watch",
	.kind = RPC_SERVER_STREAM,
	.class = RPC_WATCH,
	.request = &grpc__health__v1__health_check_request__descriptor,
	.response = &grpc__health__v1__health_check_response__descriptor,
	.stream = &watch_stream,
	.state_size = sizeof(struct health_watch),
};

/* ---- the state ---- */

/* A service nobody has thought about would be healthy for ever, or unknown. */
static void check_row(const struct health *h, const char *path)
{
	struct str service = {path + 1, strcspn(path + 1, "/")};

	assert(find_service(h, service) != NULL);
	(void)service;
}

struct health *health_new(const struct health_service *services, size_t n,
			  const struct rpc_method *const *methods, size_t n_methods)
{
	struct health *h = mem_alloc(sizeof(*h));

	h->services = services;
	h->n = n;
	for (size_t i = 0; i < n; i++)
		h->all.needs |= services[i].needs;
	for (size_t i = 0; i < n_methods; i++)
		check_row(h, methods[i]->path);
	return h;
}

void health_free(struct health *h)
{
	free(h);
}

static void tell_all(struct health *h)
{
	for (struct health_watch *w = h->watches; w != NULL; w = w->next)
		tell(h, w);
}

void health_set(struct health *h, unsigned there)
{
	h->there = there;
	tell_all(h);
}

void health_leave(struct health *h)
{
	h->leaving = true;
	tell_all(h);
}

bool health_is_serving(const struct health *h)
{
	return status_now(h, &h->all) == SERVING;
}
