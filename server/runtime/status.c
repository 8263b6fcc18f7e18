#include "server/runtime/status.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

enum {
	/* Many clients take 8 KiB of headers in all, and base64 makes 4 bytes of 3. */
	DETAILS_BYTES_MAX = 4096,
	DETAILS_MAX = 6,
	/* Callers that were refused together shall not come back together. */
	PAUSE_LEAST_MS = 100,
	PAUSE_MOST_MS = 1000,
	PAUSE_CAP_MS = 20000, /* however long the queue: things get better, too */
};

/* ---- one detail: its message, packed into an Any ---- */

struct details {
	Google__Protobuf__Any any[DETAILS_MAX];
	Google__Protobuf__Any *list[DETAILS_MAX];
	char url[DETAILS_MAX][80];
	size_t n;
};

static void add_detail(struct details *ds, const ProtobufCMessage *m)
{
	Google__Protobuf__Any *any = &ds->any[ds->n];

	assert(ds->n < DETAILS_MAX);
	google__protobuf__any__init(any);
	snprintf(ds->url[ds->n], sizeof(ds->url[0]), "type.googleapis.com/%s", m->descriptor->name);
	any->type_url = ds->url[ds->n];
	any->value.len = protobuf_c_message_get_packed_size(m);
	any->value.data = mem_alloc(any->value.len + 1);
	protobuf_c_message_pack(m, any->value.data);
	ds->list[ds->n++] = any;
}

static char *text(const char *z)
{
	return (char *)(uintptr_t)(z != NULL ? z : ""); /* protobuf-c reads it only */
}

static void add_error_info(struct details *ds, enum errc e, const struct status_details *d)
{
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry pair[RPC_FACTS_MAX], *pairs[RPC_FACTS_MAX];

	info.reason = text(err_name(e));
	info.domain = text(STATUS_DOMAIN);
	info.metadata = pairs;
	for (size_t i = 0; d != NULL && i < d->n_facts; i++) {
		google__rpc__error_info__metadata_entry__init(&pair[i]);
		pair[i].key = text(d->facts[i].key);
		pair[i].value = text(d->facts[i].value);
		pairs[info.n_metadata++] = &pair[i];
	}
	add_detail(ds, &info.base);
}

static void add_bad_request(struct details *ds, const struct status_details *d, size_t n)
{
	Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
	Google__Rpc__BadRequest__FieldViolation one[RPC_VIOLATIONS_MAX], *all[RPC_VIOLATIONS_MAX];

	for (size_t i = 0; i < n; i++) {
		google__rpc__bad_request__field_violation__init(&one[i]);
		one[i].field = text(d->violations[i].field);
		one[i].description = text(d->violations[i].why);
		all[i] = &one[i];
	}
	bad.n_field_violations = n;
	bad.field_violations = all;
	add_detail(ds, &bad.base);
}

static const char *sentence(enum errc e, const struct status_details *d)
{
	return d != NULL && d->text != NULL ? d->text : err_text(e);
}

static void add_precondition(struct details *ds, enum errc e, const struct status_details *d)
{
	Google__Rpc__PreconditionFailure failure = GOOGLE__RPC__PRECONDITION_FAILURE__INIT;
	Google__Rpc__PreconditionFailure__Violation
		v = GOOGLE__RPC__PRECONDITION_FAILURE__VIOLATION__INIT,
		*vs = &v;

	if (d != NULL && d->pre_type != NULL) {
		v.type = text(d->pre_type);
		v.subject = text(d->pre_subject);
		v.description = text(d->pre_why);
	} else {
		v.type = text(err_name(e));
		v.subject = text(d != NULL ? d->about_name : NULL);
		v.description = text(sentence(e, d));
	}
	failure.n_violations = 1;
	failure.violations = &vs;
	add_detail(ds, &failure.base);
}

/* Whose share it is when nobody has said more. */
static const char *quota_subject(enum errc e)
{
	if (e == ERR_TOO_LARGE)
		return "request";
	return e == ERR_SLOW_READER ? "stream" : "server";
}

static void add_quota(struct details *ds, enum errc e, const struct status_details *d)
{
	Google__Rpc__QuotaFailure failure = GOOGLE__RPC__QUOTA_FAILURE__INIT;
	Google__Rpc__QuotaFailure__Violation v = GOOGLE__RPC__QUOTA_FAILURE__VIOLATION__INIT,
					     *vs = &v;
	bool said = d != NULL && d->quota_subject != NULL;

	v.subject = text(said ? d->quota_subject : quota_subject(e));
	v.description = text(said ? d->quota_why : sentence(e, d));
	failure.n_violations = 1;
	failure.violations = &vs;
	add_detail(ds, &failure.base);
}

static void add_resource(struct details *ds, const struct status_details *d)
{
	Google__Rpc__ResourceInfo info = GOOGLE__RPC__RESOURCE_INFO__INIT;

	info.resource_type = text(d->about_type);
	info.resource_name = text(d->about_name);
	add_detail(ds, &info.base);
}

static void add_retry(struct details *ds, int64_t pause_ms)
{
	Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;
	Google__Protobuf__Duration pause = GOOGLE__PROTOBUF__DURATION__INIT;

	pause.seconds = pause_ms / 1000;
	pause.nanos = (int32_t)(pause_ms % 1000 * 1000000);
	info.retry_delay = &pause;
	add_detail(ds, &info.base);
}

/* ---- the whole ---- */

/* About as long as what is asked now would wait; who is refused together shall not come back so. */
static int64_t guess(enum errc e, int64_t backlog_ms)
{
	int64_t ms = PAUSE_LEAST_MS + (int64_t)random_below(PAUSE_MOST_MS - PAUSE_LEAST_MS);

	if (backlog_ms > 0 && (err_details(e) & ERR_TELLS_PUSHBACK) != 0)
		ms += backlog_ms + (int64_t)random_below((uint64_t)backlog_ms);
	return ms <= PAUSE_CAP_MS ? ms : PAUSE_CAP_MS - (int64_t)random_below(PAUSE_CAP_MS / 4);
}

/* Milliseconds to wait before the next try; -1: trying again as it is will not help. */
static int64_t pause_of(enum errc e, const struct status_details *d, int64_t backlog_ms)
{
	switch (err_retry(e)) {
	case ERR_RETRY_NEVER:
		return -1;
	case ERR_RETRY_NOW:
		return 0;
	case ERR_RETRY_BACKOFF:
	case ERR_RETRY_FIND_OUT: /* asking again with the same request_id is how one finds out */
		return d != NULL && d->pause_ms > 0 ? d->pause_ms : guess(e, backlog_ms);
	}
	return -1;
}

static size_t pack_with(enum errc e, const struct status_details *d, int64_t pause_ms,
			size_t n_violations, grpc_slice *ret)
{
	Google__Rpc__Status st = GOOGLE__RPC__STATUS__INIT;
	struct details ds = {.n = 0};
	size_t n;

	add_error_info(&ds, e, d);
	if (n_violations > 0)
		add_bad_request(&ds, d, n_violations);
	if ((err_details(e) & ERR_TELLS_PRECONDITION) != 0)
		add_precondition(&ds, e, d);
	if ((err_details(e) & ERR_TELLS_QUOTA) != 0)
		add_quota(&ds, e, d);
	if (d != NULL && d->about_type != NULL)
		add_resource(&ds, d);
	if ((err_details(e) & ERR_TELLS_RETRY) != 0)
		add_retry(&ds, pause_ms);
	st.code = (int32_t)err_status(e);
	st.message = text(sentence(e, d));
	st.n_details = ds.n;
	st.details = ds.list;
	n = google__rpc__status__get_packed_size(&st);
	*ret = grpc_slice_malloc(n);
	google__rpc__status__pack(&st, GRPC_SLICE_START_PTR(*ret));
	for (size_t i = 0; i < ds.n; i++)
		free(ds.any[i].value.data);
	return n;
}

/* Fewer violations rather than a trailer the client's limit would turn into another error. */
static grpc_slice pack_status(enum errc e, const struct status_details *d, int64_t pause_ms)
{
	size_t n = d != NULL ? d->n_violations : 0;
	grpc_slice packed;

	while (pack_with(e, d, pause_ms, n, &packed) > DETAILS_BYTES_MAX && n > 1) {
		grpc_slice_unref(packed);
		n /= 2;
	}
	return packed;
}

void status_make(struct status *ret, enum errc e, const struct status_details *d,
		 int64_t backlog_ms)
{
	int64_t pause_ms = pause_of(e, d, backlog_ms);
	char number[24];

	memset(ret, 0, sizeof(*ret));
	ret->code = (grpc_status_code)err_status(e);
	if (e == ERR_OK)
		return;
	ret->text = grpc_slice_from_copied_string(sentence(e, d));
	ret->trailers[0].key = grpc_slice_from_static_string("grpc-status-details-bin");
	ret->trailers[0].value = pack_status(e, d, pause_ms);
	ret->n_trailers = 1;
	if ((err_details(e) & ERR_TELLS_PUSHBACK) == 0)
		return;
	snprintf(number, sizeof(number), "%" PRId64, pause_ms);
	ret->trailers[1].key = grpc_slice_from_static_string("grpc-retry-pushback-ms");
	ret->trailers[1].value = grpc_slice_from_copied_string(number);
	ret->n_trailers = 2;
}

void status_copy(struct status *ret, const struct status *of)
{
	*ret = *of;
	if (of->code == GRPC_STATUS_OK)
		return;
	(void)grpc_slice_ref(of->text);
	for (size_t i = 0; i < of->n_trailers; i++)
		(void)grpc_slice_ref(of->trailers[i].value);
}

void status_done(struct status *s)
{
	if (s->code == GRPC_STATUS_OK)
		return;
	grpc_slice_unref(s->text);
	for (size_t i = 0; i < s->n_trailers; i++)
		grpc_slice_unref(s->trailers[i].value);
}
