/*
 * Errors as callers see them: a gRPC status with the public sentence, and in the trailer
 * grpc-status-details-bin a google.rpc.Status with ErrorInfo (reason = name of the row in
 * err_table.h, domain "orderd"), what err_details() says of the row (PreconditionFailure,
 * QuotaFailure, RetryInfo), and where there is something to say BadRequest and ResourceInfo.
 * Errors of load also carry grpc-retry-pushback-ms (gRFC A6), which official clients obey: when to
 * try again, or -1 when that cannot help.
 */
#ifndef ORDERD_SERVER_STATUS_H
#define ORDERD_SERVER_STATUS_H

#include <grpc/grpc.h>

#include "server/runtime/rpc.h"

#define STATUS_DOMAIN "orderd"

enum { STATUS_TRAILERS = 2 };

/* Particulars of one error; the texts live as long as the call does. */
struct status_details {
	const char *text; /* in place of the row's sentence; NULL for none */

	struct {
		const char *field, *why;
	} violations[RPC_VIOLATIONS_MAX];

	size_t n_violations;

	struct {
		const char *key, *value;
	} facts[RPC_FACTS_MAX];

	size_t n_facts;
	const char *about_type, *about_name;
	const char *pre_type, *pre_subject, *pre_why;
	const char *quota_subject, *quota_why;
	int64_t pause_ms; /* known exactly; 0: to be estimated */
};

/* Ready for GRPC_OP_SEND_STATUS_FROM_SERVER. */
struct status {
	grpc_status_code code;
	grpc_slice text;
	grpc_metadata trailers[STATUS_TRAILERS];
	size_t n_trailers;
};

/*
 * d may be NULL.  Who is refused because of load is sent away for as long as what is asked now
 * would wait (backlog_ms), and up to as long again, so that not all come back together.
 */
void status_make(struct status *ret, enum errc e, const struct status_details *d,
		 int64_t backlog_ms);
/* Another one of the same; each is ended by itself.  Any thread. */
void status_copy(struct status *ret, const struct status *of);
void status_done(struct status *s);

#endif
