/*
 * The operators' HTTP port: GET /metrics (Prometheus text), GET /healthz (200 while the
 * program can do its work, else 503), and, once it has a board, GET /show (the views there
 * are) and GET /show/VIEW (core/base/show.h): text, or JSON for `Accept: application/json`
 * or `?format=json`.  Nothing else, and no request bodies.
 */
#ifndef ORDERD_LISTEN_OPS_HTTP_H
#define ORDERD_LISTEN_OPS_HTTP_H

#include <stdbool.h>

#include "core/flow/loop.h"

struct ops_http;
struct show_board;

/*
 * Listen on `address` (host:port, numeric host or localhost), which the setting `field`
 * named; exits 2 when it cannot.  is_healthy(arg) is asked per request.
 */
struct ops_http *ops_http_new(struct loop *l, const char *field, const char *address,
			      bool (*is_healthy)(void *arg), void *arg);
const char *ops_http_address(const struct ops_http *h); /* with the real port */
/* Serve the views of `b` from now on; it must outlive the port. */
void ops_http_show(struct ops_http *h, const struct show_board *b);

/* View: version (core/base/show.h). */
void ops_http_offer(struct show_board *b);

void ops_http_close(struct ops_http *h, void (*on_closed)(void *arg), void *arg);

#endif
