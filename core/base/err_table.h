/*
 * Every error a flow can end in: one row each.
 *
 * Columns: name, gRPC status, retry class, public text.  The retry class is what the
 * caller should do: NEVER again as it is; NOW; after BACKOFF; or FIND_OUT first,
 * because the thing asked for may have happened.  Status and retry class decide which details
 * the error carries (err_details()).  Read by core/base/err.c (names, texts),
 * server/runtime/status.c (gRPC status and details), the flow runner (metric label) and
 * docs/errors.md.
 */
/* clang-format off */
#define ERR_TABLE(X) \
	X(OK,                  OK,                  NEVER,    "ok") \
	X(INVALID_ARGUMENT,    INVALID_ARGUMENT,    NEVER,    "the request is not valid") \
	X(REQUEST_ID_REUSED,   INVALID_ARGUMENT,    NEVER,    "this request_id was used with another body") \
	X(NOT_FOUND,           NOT_FOUND,           NEVER,    "not found") \
	X(UNKNOWN_ITEM,        INVALID_ARGUMENT,    NEVER,    "no such item") \
	X(ALREADY_EXISTS,      ALREADY_EXISTS,      NEVER,    "it exists already") \
	X(OUT_OF_STOCK,        FAILED_PRECONDITION, NEVER,    "not enough stock") \
	X(PRICE_CHANGED,       FAILED_PRECONDITION, NEVER,    "the total is not the one expected") \
	X(NOT_CANCELLABLE,     FAILED_PRECONDITION, NEVER,    "the order can no longer be cancelled") \
	X(LABEL_NOT_BOUGHT,    FAILED_PRECONDITION, BACKOFF,  "the carrier has not given this shipment its tracking code yet") \
	X(LABEL_UNPRINTABLE,   FAILED_PRECONDITION, NEVER,    "the parcel's tracking code or SSCC cannot be printed as a barcode") \
	X(PAYMENT_NOT_DECLINED, FAILED_PRECONDITION, NEVER,   "no payment of it was declined and waits for another method") \
	X(ORDER_EXPIRED,       FAILED_PRECONDITION, NEVER,    "the order was not paid in time") \
	X(NOT_VOIDABLE,        FAILED_PRECONDITION, NEVER,    "the shipment has no label that could be given back") \
	X(NOT_PAID,            FAILED_PRECONDITION, BACKOFF,  "the parcel is not paid for and must not leave") \
	X(TOO_MANY_SCANS,      FAILED_PRECONDITION, NEVER,    "the parcel has as many scans as are kept") \
	X(NOT_PICKABLE,        FAILED_PRECONDITION, NEVER,    "the fulfilment order is picked already, being picked, or cancelled") \
	X(NOT_PACKABLE,        FAILED_PRECONDITION, NEVER,    "the fulfilment order is not picked, being packed, packed already, or cancelled") \
	X(JOB_NOT_RETRYABLE,   FAILED_PRECONDITION, NEVER,    "the job is running, done, due, or waits for a person") \
	X(JOB_NOT_CANCELLABLE, FAILED_PRECONDITION, NEVER,    "the job is done, dead, or waits for a person") \
	X(JOB_RUNNING,         FAILED_PRECONDITION, BACKOFF,  "the job is running") \
	X(MONEY_IN_DOUBT,      FAILED_PRECONDITION, NEVER,    "whether money was taken is not known yet, and nobody else would find out") \
	X(TWO_LIVE_KEYS,       FAILED_PRECONDITION, NEVER,    "the name has two live keys: revoke one first") \
	X(KEYS_NOT_TAKEN,      FAILED_PRECONDITION, NEVER,    "this server takes no API keys") \
	X(TOO_MANY_KEYS,       RESOURCE_EXHAUSTED,  NEVER,    "there are as many API keys as servers hold") \
	X(FEED_BEGAN_ANEW,     OUT_OF_RANGE,        NEVER,    "the database was restored since this token was made: begin without one") \
	X(FEED_NOT_READY,      FAILED_PRECONDITION, BACKOFF,  "the database was copied here, and orderd migrate must be run before events can be followed") \
	X(ETAG_MISMATCH,       ABORTED,             NEVER,    "the resource has changed since it was read") \
	X(CLASH,               ABORTED,             BACKOFF,  "a concurrent change got in the way") \
	X(TOO_LARGE,           RESOURCE_EXHAUSTED,  NEVER,    "the request needs more memory than one request may use") \
	X(OVERLOADED,          RESOURCE_EXHAUSTED,  BACKOFF,  "too many requests in flight") \
	X(RATE_LIMITED,        RESOURCE_EXHAUSTED,  BACKOFF,  "this method is called more often than allowed") \
	X(SLOW_READER,         RESOURCE_EXHAUSTED,  BACKOFF,  "this stream is not read fast enough") \
	X(TOO_MANY_WATCHES,    RESOURCE_EXHAUSTED,  BACKOFF,  "the caller has as many watches open as one may") \
	X(STORE_FULL,          RESOURCE_EXHAUSTED,  BACKOFF,  "too many changes are waiting to be stored") \
	X(STORE_LATE,          UNAVAILABLE,         BACKOFF,  "storage is behind; what is asked now would wait too long") \
	X(STORE_UNAVAILABLE,   UNAVAILABLE,         BACKOFF,  "storage is not reachable") \
	X(NOT_RECORDED,        UNAVAILABLE,         FIND_OUT, "the call could not be put on record; ask again with the same request_id") \
	X(QUEUE_UNAVAILABLE,   UNAVAILABLE,         BACKOFF,  "the dispatcher is not reachable") \
	X(HTTP_UNREACHABLE,    UNAVAILABLE,         BACKOFF,  "a provider could not be reached; nothing was sent") \
	X(HTTP_UNKNOWN,        UNAVAILABLE,         FIND_OUT, "a provider did not answer; it may have acted") \
	X(HTTP_TOO_LARGE,      UNAVAILABLE,         FIND_OUT, "a provider's answer was larger than allowed") \
	X(PROVIDER_BUSY,       UNAVAILABLE,         BACKOFF,  "a provider asked to be called later") \
	X(PROVIDER_REFUSED,    INTERNAL,            NEVER,    "a provider refused the request as it was made") \
	X(PROVIDER_BROKEN,     UNAVAILABLE,         FIND_OUT, "a provider answered in a way that cannot be read") \
	X(DRAINING,            UNAVAILABLE,         NOW,      "this server is shutting down") \
	X(DEADLINE,            DEADLINE_EXCEEDED,   BACKOFF,  "the deadline passed before the request was stored") \
	X(UNKNOWN_OUTCOME,     DEADLINE_EXCEEDED,   FIND_OUT, "the outcome is not known; retry with the same request_id") \
	X(CANCELLED,           CANCELLED,           NEVER,    "the caller went away") \
	X(UNAUTHENTICATED,     UNAUTHENTICATED,     NEVER,    "credentials are missing or not valid") \
	X(PERMISSION_DENIED,   PERMISSION_DENIED,   NEVER,    "not allowed") \
	X(SCOPE_MISSING,       PERMISSION_DENIED,   NEVER,    "the credential names scopes, and not the one this call needs") \
	X(NOT_OPERATOR,        PERMISSION_DENIED,   NEVER,    "this is the whole installation's, and its operator's alone") \
	X(UNIMPLEMENTED,       UNIMPLEMENTED,       NEVER,    "unknown method") \
	X(INTERNAL,            INTERNAL,            NEVER,    "internal error")
/* clang-format on */
