/*
 * The process: what main.c makes at start, hands to every RPC and closes in reverse.
 */
#ifndef ORDERD_SERVER_APP_H
#define ORDERD_SERVER_APP_H

#include "core/base/config.h"
#include "core/base/seal.h"
#include "core/base/show.h"
#include "core/flow/loop.h"
#include "core/listen/held_sockets.h"

struct store;
struct supervisor;
struct queue;
struct reload;
struct rpc_server;
struct ops_http;
struct webhooks;
struct watches;
struct feeds;
struct watch_callers;
struct auth;
struct key_feed;
struct call_recorder;

struct app {
	struct config cfg;
	struct show_board board; /* what this process shows of itself */
	struct loop *loop;
	struct held_sockets held; /* that systemd passed, until listeners took them */
	struct store *store;
	struct queue *queue;
	struct watches *watches;       /* orders somebody watches */
	struct feeds *feeds;           /* tenants whose orders somebody follows */
	struct watch_callers *callers; /* who watches */
	struct auth *auth;
	struct key_feed *keys; /* NULL: API keys are not taken */
	struct call_recorder *recorder;
	struct rpc_server *server;
	struct ops_http *http;
	struct webhooks *webhooks;   /* NULL: not listened for */
	struct seal_key contact_key; /* names and addresses */
	struct supervisor *supervisor;
	struct reload *reload;
	struct timer look;     /* at how things stand: readiness.h */
	unsigned there;        /* of what services need, as last seen */
	int64_t store_seen_ms; /* PostgreSQL was there */
	bool announced;        /* "ready" was printed */
	bool draining;
	struct timer overdue; /* the whole shutdown's */
	int exit_code;
};

#endif
