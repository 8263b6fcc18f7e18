#include "server/ops/job_message.h"

#include <string.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

static const struct {
	const char *name;
	Orderd__V1__JobState state;
} states[] = {
	{"ready", ORDERD__V1__JOB_STATE__JOB_STATE_READY},
	{"running", ORDERD__V1__JOB_STATE__JOB_STATE_RUNNING},
	{"parked", ORDERD__V1__JOB_STATE__JOB_STATE_PARKED},
	{"dead", ORDERD__V1__JOB_STATE__JOB_STATE_DEAD},
	{"done", ORDERD__V1__JOB_STATE__JOB_STATE_DONE},
};

enum { STATES = sizeof(states) / sizeof(states[0]) };

struct str job_state_name(Orderd__V1__JobState state)
{
	for (size_t i = 0; i < STATES; i++)
		if (states[i].state == state)
			return str_of(states[i].name);
	return STR("");
}

static Orderd__V1__JobState state_of(struct str name)
{
	for (size_t i = 0; i < STATES; i++)
		if (str_eq(name, str_of(states[i].name)))
			return states[i].state;
	return ORDERD__V1__JOB_STATE__JOB_STATE_UNSPECIFIED;
}

/* The janitor has no jobs: what it does is not in a queue. */
bool queue_role_of(struct str name, enum queue_role *ret)
{
	const char *dot = name.n > 0 ? memchr(name.p, '.', name.n) : NULL;
	struct str role = {name.p, dot != NULL ? (size_t)(dot - name.p) : name.n};

	for (int r = 0; r < ROLE_JANITOR; r++)
		if (str_eq(role, str_of(queue_role_name((enum queue_role)r)))) {
			*ret = (enum queue_role)r;
			return true;
		}
	return false;
}

void read_job_filter(struct flow *fl, ProtobufCBinaryData kind, ProtobufCBinaryData role,
		     const char *path, struct job_list_head *h)
{
	enum queue_role known;

	h->kind = may_text(fl, kind, JOB_KIND_MAX, "%skind", path);
	h->role = may_text(fl, role, JOB_KIND_MAX, "%srole", path);
	if (h->kind.n > 0 && !queue_role_of(h->kind, &known))
		rpc_violation(fl, "it is QUEUE.WORK, as in payment.capture", "%skind", path);
	if (h->role.n > 0 &&
	    (!queue_role_of(h->role, &known) || !str_eq(h->role, str_of(queue_role_name(known)))))
		rpc_violation(fl, "it is payment, fulfillment, shipping or notification", "%srole",
			      path);
	if (h->kind.n == 0)
		h->kind = (struct str){0};
	if (h->role.n == 0)
		h->role = (struct str){0};
}

int ask_job(struct flow *fl, struct id job)
{
	struct job_list_head h = {.tenant = rpc_identity(fl)->tenant,
				  .job_id = job,
				  .made_from = DB_NULL,
				  .made_before = DB_NULL,
				  .after_at = DB_NULL,
				  .scan = 1,
				  .most = 1};

	return store_ask(fl, rpc_app(fl)->store, job_list_unit(&h, NULL, 0));
}

bool got_job(struct flow *fl, struct id job, const struct answer *a, struct job_list_row *ret)
{
	char text[ID_TEXT_SIZE];

	if (answer_rows(a) > 0)
		*ret = job_list_row(a, 0);
	if (answer_rows(a) > 0 && ret->hit)
		return true;
	rpc_about(fl, "orderd.v1.Job", str_of(id_format(job, text)));
	rpc_fail(fl, ERR_NOT_FOUND);
	return false;
}

Orderd__V1__Job *job_message(struct flow *fl, const struct job_list_row *r)
{
	Orderd__V1__Job *j = arena_alloc(&fl->arena, sizeof(*j));

	if (j == NULL)
		return NULL;
	orderd__v1__job__init(j);
	j->job_id = id_text(fl, r->job_id);
	j->order_id = id_text(fl, r->order_id);
	j->group = r->group_no;
	j->kind = keep_text(fl, r->kind);
	j->state = state_of(r->state);
	j->priority = r->priority;
	j->attempts = r->attempts;
	j->deaths = r->deaths;
	j->worker = id_text(fl, r->worker);
	j->last_error = keep_text(fl, r->last_error);
	j->run_time = timestamp_message(fl, r->run_at);
	j->create_time = timestamp_message(fl, r->created_at);
	if (r->lease_until != DB_NULL)
		j->lease_expire_time = timestamp_message(fl, r->lease_until);
	if (r->done_at != DB_NULL)
		j->done_time = timestamp_message(fl, r->done_at);
	return j->create_time != NULL ? j : NULL;
}

void ring_job(struct flow *fl, struct id job, struct str kind, int16_t priority)
{
	struct ring ring = {.job = job, .priority = (uint8_t)(priority & 3)};

	if (queue_role_of(kind, &ring.role))
		queue_ring(rpc_app(fl)->queue, &ring, 1);
}
