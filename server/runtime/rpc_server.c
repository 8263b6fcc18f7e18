/*
 * Start and drain of the gRPC runtime.
 *
 *	serving --> lame duck --> leaving --> closing --> down
 *	            NOT_SERVING,  GOAWAY,     no new      every call came back and
 *	            serves on     serves on   calls       gRPC has no connection left
 */
#include "server/runtime/rpc_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/support/log.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "server/auth/policy.h"
#include "server/runtime/descriptors.h"
#include "server/runtime/health.h"
#include "server/runtime/rpc_record.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/self_probe.h"
#include "server/runtime/validate.h"

enum {
	CORE_LINES_A_SECOND = 20,
	/*
	 * A call that a client sent before it read the GOAWAY arrives one round trip after that at
	 * the latest: when none has come for longer than any but a lame path takes, none will.
	 */
	LEAVING_QUIET_MS = 250,
	LEAVING_MOST_MS = 2000,
	LEAVING_LOOK_MS = 50,
};

const char *rpc_class_name(enum rpc_class class)
{
	static const char *const names[RPC_CLASSES] = {
		[RPC_WORK] = "work", [RPC_WATCH] = "watch", [RPC_PROBE] = "probe"};

	return names[class];
}

/* ---- start ---- */

/*
 * gRPC's own words, at error level only unless GRPC_VERBOSITY says otherwise.  Any thread.  It says
 * something about each handshake that fails, so strangers must not be able to fill the log.
 */
static void on_core_log(gpr_log_func_args *a)
{
	static _Atomic int64_t second;
	static _Atomic unsigned said;
	int64_t now_s = clock_mono_ms() / 1000;

	if (atomic_exchange(&second, now_s) != now_s)
		atomic_store(&said, 0);
	if (atomic_fetch_add(&said, 1) >= CORE_LINES_A_SECOND)
		return;
	log_line(a->severity == GPR_LOG_SEVERITY_ERROR ? LOG_WARN : LOG_DEBUG, "grpc", "text=%s",
		 LOG_Q(a->message));
}

static int end_step(const struct flow_step *steps)
{
	int i = 0;

	while (steps[i].ask != NULL)
		assert(++i < 64);
	return i;
}

/* Under either name it makes asking twice harmless. */
static const ProtobufCFieldDescriptor *request_id_of(const ProtobufCMessageDescriptor *m)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(m, "request_id");

	if (f == NULL)
		f = protobuf_c_message_descriptor_get_field_by_name(m, "report_id");
	assert(f == NULL ||
	       f->type == PROTOBUF_C_TYPE_BYTES); /* as all our text, cmake/StringAsBytes */
	return f;
}

/*
 * Every table row, and one more for calls of methods nobody knows: without it they would hang to
 * their deadline.
 */
static void serve_methods(struct rpc_server *s)
{
	s->n_served = s->opt.n_methods + 1;
	s->served = mem_array(s->n_served, sizeof(*s->served));
	for (size_t i = 0; i < s->opt.n_methods; i++) {
		const struct rpc_method *m = s->opt.methods[i];
		struct rpc_served *v = &s->served[i];
		bool bidi = m->kind == RPC_BIDI;

		assert((m->kind == RPC_UNARY) == (m->steps != NULL) &&
		       (m->kind != RPC_UNARY) == (m->stream != NULL));
		v->method = m;
		v->policy = policy_find(s->opt.policy, m->path);
		v->request_id = request_id_of(m->request);
		v->shape = validator_shape(s->validator, m->request);
		v->end = m->steps != NULL ? end_step(m->steps) : 0;
		if (s->opt.recorder != NULL && v->policy != NULL && v->policy->loud) {
			assert(m->kind == RPC_UNARY);
			v->recorded = rpc_record_steps(m->steps, v->end);
		}
		v->handle = grpc_server_register_method(
			s->core, m->path, NULL,
			bidi ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
			0);
		assert(v->handle != NULL); /* NULL: the path is in the table twice */
	}
}

/* Room for every call there may be, every posted slot, and as many refusals on their way. */
static void make_pool(struct rpc_server *s)
{
	size_t slots = RPC_SLOTS_COLD;

	for (size_t i = 0; i < s->opt.n_methods; i++)
		slots += s->opt.methods[i]->slots > 0 ? s->opt.methods[i]->slots : RPC_SLOTS_COLD;
	s->bounds[RPC_WORK] = (unsigned)s->opt.cfg->max_in_flight;
	s->bounds[RPC_WATCH] = (unsigned)s->opt.cfg->max_watches;
	s->bounds[RPC_PROBE] = RPC_PROBES_MAX;
	s->n_calls = 2 * slots;
	for (int i = 0; i < RPC_CLASSES; i++) {
		metric_set(METRIC_rpc_limit, rpc_class_name((enum rpc_class)i), s->bounds[i]);
		s->n_calls += s->bounds[i];
	}
	s->calls = mem_array(s->n_calls, sizeof(*s->calls)); /* untouched pages cost nothing */
	s->large_left = (size_t)s->opt.cfg->arena_kib * 1024 * RPC_LARGE_FACTOR * RPC_LARGE_CALLS;
}

static void on_letter(struct letter *m, void *arg)
{
	struct rpc_tag *tag = (struct rpc_tag *)(void *)m; /* its first member */
	struct rpc_server *s = arg;

	if (tag->event == RPC_SERVER_DOWN) {
		s->phase = RPC_DOWN;
		rpc_server_check_down(s);
		return;
	}
	rpc_handle(tag);
}

static void on_deaf(void *arg)
{
	struct rpc_server *s = arg;

	log_error("listener_deaf", "addresses=%zu", s->n_addresses);
	s->opt.on_deaf(s->opt.arg);
}

void rpc_probe(struct rpc_server *s, size_t i)
{
	if (s->opt.on_deaf != NULL)
		s->probes[i] = self_probe_new(s->loop, s->addresses[i], s->kinds[i] == LISTENER_TLS,
					      on_deaf, s);
}

struct rpc_server *rpc_server_new(const struct rpc_server_options *opt)
{
	struct rpc_server *s = mem_alloc(sizeof(*s));

	s->opt = *opt;
	s->loop = opt->loop;
	if (!rpc_server_set_access_log(s, opt->cfg->access_log))
		config_refuse("access_log", "it is off, errors or all, not %s",
			      opt->cfg->access_log);
	s->down = (struct rpc_tag){.event = RPC_SERVER_DOWN};
	gpr_set_log_function(on_core_log);
	grpc_init();
	s->descriptors = descriptors_new(opt->descriptor_set, opt->descriptor_set_size);
	s->validator = validator_new(s->descriptors);
	s->health = health_new(opt->services, opt->n_services, opt->methods, opt->n_methods);
	make_pool(s);
	rpc_refusals_make(s);
	s->admission = admission_new(opt->cfg);
	s->core = rpc_core_new(opt->cfg);
	s->cq = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(s->core, s->cq, NULL);
	serve_methods(s);
	rpc_listen(s);
	s->mailbox = mailbox_new(s->loop, on_letter, s);
	grpc_server_start(s->core);
	rpc_poller_start(s);
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->held[i] == NULL)
			rpc_probe(s, i);
	rpc_held_wait(s);
	return s;
}

const char *rpc_server_address(const struct rpc_server *s, size_t i)
{
	return i < s->n_addresses ? s->addresses[i] : NULL;
}

const char *rpc_server_kind(const struct rpc_server *s, size_t i)
{
	return listener_name(s->kinds[i]);
}

void rpc_server_set_health(struct rpc_server *s, unsigned there)
{
	health_set(s->health, there);
	if (there == NEED_ALL)
		rpc_held_open(s);
}

bool rpc_server_is_serving(const struct rpc_server *s)
{
	return health_is_serving(s->health);
}

bool rpc_server_is_heard(const struct rpc_server *s)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->probes[i] != NULL && !self_probe_is_heard(s->probes[i]))
			return false;
	return true;
}

bool rpc_server_set_access_log(struct rpc_server *s, const char *mode)
{
	return access_mode_parse(mode, &s->access.mode);
}

/* ---- drain ---- */

static struct rpc_server *server_of(struct timer *t)
{
	return (struct rpc_server *)(void *)((char *)t - offsetof(struct rpc_server, patience));
}

static void on_drain_overdue(struct timer *t)
{
	struct rpc_server *s = server_of(t);

	log_warn("drain_overdue", "calls=%zu", atomic_load(&s->out));
	for (struct rpc *c = s->alive; c != NULL; c = c->next)
		rpc_cut(c, ERR_DRAINING);
	grpc_server_cancel_all_calls(s->core);
}

static void close_server(struct timer *t)
{
	struct rpc_server *s = server_of(t);

	s->phase = RPC_CLOSING;
	atomic_store(&s->closing, true);
	rpc_held_close(s);
	grpc_server_shutdown_and_notify(s->core, s->cq, &s->down);
	for (struct rpc *c = s->alive; c != NULL; c = c->next)
		rpc_drain(c);
	s->patience.on_due = on_drain_overdue;
	timer_set(s->loop, &s->patience, clock_mono_ms() + s->opt.cfg->drain_s * 1000);
}

static void on_leaving(struct timer *t)
{
	struct rpc_server *s = server_of(t);
	int64_t now = clock_mono_ms(), heard = s->arrival_us / 1000;
	int64_t quiet_since = heard > s->leaving_ms ? heard : s->leaving_ms;

	if (now - quiet_since >= LEAVING_QUIET_MS || now - s->leaving_ms >= LEAVING_MOST_MS ||
	    !rpc_core_leave(s->core)) {
		close_server(t);
		return;
	}
	timer_set(s->loop, t, now + LEAVING_LOOK_MS);
}

static void start_leaving(struct timer *t)
{
	struct rpc_server *s = server_of(t);

	s->phase = RPC_LEAVING;
	/* Where callers wait for the next server, who was let in last gets his calls in before he
	 * is told to go: to him they are the first, and the one he would not repeat. */
	s->leaving_ms = clock_mono_ms() + (rpc_held_stop(s) ? LEAVING_QUIET_MS : 0);
	s->patience.on_due = on_leaving;
	timer_set(s->loop, t, s->leaving_ms);
}

void rpc_server_drain(struct rpc_server *s, void (*on_closed)(void *arg), void *arg)
{
	if (s->phase != RPC_SERVING)
		return;
	s->phase = RPC_LAME_DUCK;
	s->on_closed = on_closed;
	s->on_closed_arg = arg;
	health_leave(s->health);
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->probes[i] != NULL) {
			self_probe_close(s->probes[i]);
			s->probes[i] = NULL;
		}
	s->patience.on_due = start_leaving;
	timer_set(s->loop, &s->patience, clock_mono_ms() + s->opt.cfg->lame_duck_ms);
}

static void free_listener(struct rpc_server *s, size_t i)
{
	free(s->addresses[i]);
	free(s->names[i]);
}

static void free_parts(struct rpc_server *s)
{
	for (size_t i = 0; i < s->n_touched; i++) {
		arena_done(&s->calls[i].flow.arena);
		arena_done(&s->calls[i].message);
	}
	rpc_refusals_free(s);
	admission_free(s->admission);
	for (size_t i = 0; i < s->n_addresses; i++)
		free_listener(s, i);
	health_free(s->health);
	validator_free(s->validator);
	descriptors_free(s->descriptors);
	for (size_t i = 0; i < s->n_served; i++)
		free(s->served[i].recorded);
	free(s->served);
	free(s->calls);
}

/* The last letter was read: nothing of gRPC's refers to us any more. */
static void shut_down(struct timer *t)
{
	struct rpc_server *s = server_of(t);
	void (*on_closed)(void *arg) = s->on_closed;
	void *arg = s->on_closed_arg;

	rpc_poller_stop(s);
	mailbox_close(s->mailbox);
	grpc_server_destroy(s->core);
	grpc_completion_queue_destroy(s->cq);
	grpc_shutdown();
	free_parts(s);
	free(s);
	on_closed(arg);
}

void rpc_server_check_down(struct rpc_server *s)
{
	if (s->phase != RPC_DOWN || atomic_load(&s->out) > 0)
		return;
	s->patience.on_due = shut_down; /* not from inside a letter */
	timer_set(s->loop, &s->patience, clock_mono_ms());
}
