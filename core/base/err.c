/*
 * The error table as functions.  See err_table.h for the rows.
 */
#include "core/base/err.h"

#include <assert.h>

struct err_row {
	const char *name;
	const char *text;
	enum err_status status;
	enum err_retry retry;
};

static const struct err_row rows[] = {
#define X(name, status, retry, text) \
	[ERR_##name] = {#name, text, ERR_STATUS_##status, ERR_RETRY_##retry},
	ERR_TABLE(X)
#undef X
};

static const struct err_row *row_of(enum errc e)
{
	assert((unsigned)e < ERR_COUNT);
	return &rows[e];
}

const char *err_name(enum errc e)
{
	return row_of(e)->name;
}

const char *err_text(enum errc e)
{
	return row_of(e)->text;
}

enum err_status err_status(enum errc e)
{
	return row_of(e)->status;
}

enum err_retry err_retry(enum errc e)
{
	return row_of(e)->retry;
}

unsigned err_details(enum errc e)
{
	static const unsigned of_status[] = {
		[ERR_STATUS_FAILED_PRECONDITION] = ERR_TELLS_PRECONDITION,
		[ERR_STATUS_RESOURCE_EXHAUSTED] = ERR_TELLS_QUOTA | ERR_TELLS_PUSHBACK,
		[ERR_STATUS_UNAVAILABLE] = ERR_TELLS_PUSHBACK,
		[ERR_STATUS_ABORTED] = ERR_TELLS_PUSHBACK,
		[ERR_STATUS_UNAUTHENTICATED] = 0, /* the highest: every status has its place */
	};

	return of_status[err_status(e)] | (err_retry(e) != ERR_RETRY_NEVER ? ERR_TELLS_RETRY : 0);
}
