/*
 * Errors are values that tell the caller what to do; the rows are in err_table.h.
 */
#ifndef ORDERD_BASE_ERR_H
#define ORDERD_BASE_ERR_H

#include "err_table.h"

#define MUST_CHECK __attribute__((warn_unused_result))

/* clang-format off */
enum errc {
#define X(name, status, retry, text) ERR_##name,
	ERR_TABLE(X)
#undef X
	ERR_COUNT
};

/* clang-format on */

enum err_retry { ERR_RETRY_NEVER, ERR_RETRY_NOW, ERR_RETRY_BACKOFF, ERR_RETRY_FIND_OUT };

/* gRPC status codes by number (grpc/status.h, github.com/grpc/grpc doc/statuscodes.md); base knows
 * no gRPC. */
enum err_status {
	ERR_STATUS_OK = 0,
	ERR_STATUS_CANCELLED = 1,
	ERR_STATUS_INVALID_ARGUMENT = 3,
	ERR_STATUS_DEADLINE_EXCEEDED = 4,
	ERR_STATUS_NOT_FOUND = 5,
	ERR_STATUS_ALREADY_EXISTS = 6,
	ERR_STATUS_PERMISSION_DENIED = 7,
	ERR_STATUS_RESOURCE_EXHAUSTED = 8,
	ERR_STATUS_FAILED_PRECONDITION = 9,
	ERR_STATUS_ABORTED = 10,
	ERR_STATUS_OUT_OF_RANGE = 11,
	ERR_STATUS_UNIMPLEMENTED = 12,
	ERR_STATUS_INTERNAL = 13,
	ERR_STATUS_UNAVAILABLE = 14,
	ERR_STATUS_UNAUTHENTICATED = 16,
};

const char *
err_name(enum errc e); /* "OUT_OF_STOCK": reason in ErrorInfo, label in logs and metrics */
const char *err_text(enum errc e); /* the public sentence */
enum err_status err_status(enum errc e);
enum err_retry err_retry(enum errc e);

/*
 * What such an error tells besides its ErrorInfo, whoever makes it.  Its row's status and retry
 * class decide, as google.rpc's documentation pairs them, so no error can lack what is its kind's.
 */
enum err_detail {
	ERR_TELLS_PRECONDITION = 1, /* PreconditionFailure: what does not hold */
	ERR_TELLS_QUOTA = 2,        /* QuotaFailure: whose share is used up */
	ERR_TELLS_RETRY = 4,        /* RetryInfo: when to ask again */
	ERR_TELLS_PUSHBACK = 8,     /* grpc-retry-pushback-ms: the same for gRPC libraries, or -1 */
};

unsigned err_details(enum errc e);

#endif
