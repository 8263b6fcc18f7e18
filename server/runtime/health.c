/*
 * Check is one step.  Watch keeps one thing per stream: the status last sent.  When the
 * status changes while a message is on its way nothing is queued; on_sent looks again, so
 * a slow watcher misses what has passed and learns what is.
 */
#include "server/runtime/health.h"

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
	bool known; /* the service it asked about */
};

struct health {
	bool serving;
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

/* "" or the service of a method we serve. */
static bool is_known(struct flow *fl)
{
	const struct rpc_server *s = rpc_of(fl)->server;
	struct str service = service_of(fl);

	if (service.n == 0)
		return true;
	for (size_t i = 0; i < s->n_served; i++) {
		const struct rpc_method *m = s->served[i].method;

		if (m != NULL && strncmp(m->path + 1, service.p, service.n) == 0 &&
		    m->path[1 + service.n] == '/')
			return true;
	}
	return false;
}

static serving_status status_now(const struct health *h)
{
	return h->serving ? SERVING : NOT_SERVING;
}

/* ---- Check ---- */

enum { CHECK, DONE };

static int ask_check(struct flow *fl)
{
	Grpc__Health__V1__HealthCheckResponse rs = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	if (!is_known(fl))
		return rpc_fail_text(fl, ERR_NOT_FOUND, "unknown service");
	rs.status = status_now(health_of(fl));
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

	rs.status = w->known ? status_now(h) : SERVICE_UNKNOWN;
	if (rs.status == w->sent || !rpc_can_send(w->fl))
		return;
	w->sent = rs.status;
	rpc_send(w->fl, &rs.base);
}

static void on_open(struct flow *fl)
{
	struct health_watch *w = rpc_state(fl);
	struct health *h = health_of(fl);

	*w = (struct health_watch){
		.next = h->watches, .fl = fl, .sent = NOTHING_YET, .known = is_known(fl)};
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

struct health *health_new(void)
{
	return mem_alloc(sizeof(struct health));
}

void health_free(struct health *h)
{
	free(h);
}

void health_set(struct health *h, bool serving)
{
	if (h->serving == serving)
		return;
	h->serving = serving;
	for (struct health_watch *w = h->watches; w != NULL; w = w->next)
		tell(h, w);
}

bool health_is_serving(const struct health *h)
{
	return h->serving;
}
