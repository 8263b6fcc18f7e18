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
