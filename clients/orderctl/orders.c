/*
 * get, status, list, cancel, watch.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "pages.h"
#include "show.h"
#include "terminal.h"

enum { WATCH_MS = 7 * 24 * 3600 * 1000 }; /* an order takes days; it ends by itself */

static int run_get(struct args *a)
{
	Orderd__V1__GetOrderRequest rq = ORDERD__V1__GET_ORDER_REQUEST__INIT;
	Orderd__V1__GetOrderResponse *rs;
	struct orderd_error e;

	rq.order_id = text(a->words[0]);
	rq.with_events = flag(a, "events");
	rs = orderd_get_order(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
		return done_with(&rs->base);
	}
	print_order(rs->order);
	if (rs->n_events > 0)
		putchar('\n');
	print_events(rs->events, rs->n_events);
	return done_with(&rs->base);
}

static int run_status(struct args *a)
{
	Orderd__V1__GetOrderStatusRequest rq = ORDERD__V1__GET_ORDER_STATUS_REQUEST__INIT;
	Orderd__V1__GetOrderStatusResponse *rs;
	struct orderd_error e;

	rq.order_id = text(a->words[0]);
	rs = orderd_get_order_status(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_status(rs);
	return done_with(&rs->base);
}

static const ProtobufCMessage *orders_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListOrdersRequest *rq = p->request;
	Orderd__V1__ListOrdersResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_orders(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		orders_rows(p->table, rs->orders, rs->n_orders);
	p->rows = rs->n_orders;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_list(struct args *a)
{
	Orderd__V1__ListOrdersRequest rq = ORDERD__V1__LIST_ORDERS_REQUEST__INIT;
	Google__Protobuf__Timestamp after, before;

	rq.customer = text(option(a, "customer"));
	rq.placed_after = time_option(a, "placed-after", &after);
	rq.placed_before = time_option(a, "placed-before", &before);
	return list_pages(a, orders_page, &rq, orders_table());
}

static int run_cancel(struct args *a)
{
	Orderd__V1__CancelOrderRequest rq = ORDERD__V1__CANCEL_ORDER_REQUEST__INIT;
	Orderd__V1__CancelOrderResponse *rs;
	struct orderd_error e;

	rq.order_id = text(a->words[0]);
	rq.request_id = text(request_id(a));
	rq.reason = text(option(a, "reason"));
	rq.etag = text(option(a, "etag"));
	rs = orderd_cancel_order(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_order(rs->order);
	return done_with(&rs->base);
}

struct watch {
	struct args *a;
	char last[24]; /* sequence told */
};

/* One line per event, at once: whoever reads it may be a program that waits for it. */
static bool show_event(const Orderd__V1__WatchOrderResponse *m, void *arg)
{
	struct watch *w = arg;

	snprintf(w->last, sizeof(w->last), "%lld", (long long)m->sequence);
	w->a->request_option = "after";
	w->a->request_id = w->last;
	if (w->a->json)
		print_json(&m->base);
	else
		print_events(&m->event, 1);
	return fflush(stdout) == 0; /* nobody reads any more */
}

struct watch_all {
	struct args *a;
	char last[ORDERD_TOKEN_MAX + 1]; /* token told */
};

/* In JSON every message, because each has a token; else a line per event, with whose it is. */
static bool show_orders(const Orderd__V1__WatchOrdersResponse *m, void *arg)
{
	struct watch_all *w = arg;

	snprintf(w->last, sizeof(w->last), "%.*s", (int)m->resume_token.len,
		 (const char *)m->resume_token.data);
	w->a->request_option = "resume";
	w->a->request_id = w->last;
	if (w->a->json)
		print_json(&m->base);
	for (size_t i = 0; i < m->n_events && !w->a->json; i++) {
		printf("%lld  %.*s  ", (long long)m->events[i]->order_number,
		       (int)m->events[i]->order_id.len, (const char *)m->events[i]->order_id.data);
		print_events(&m->events[i]->event, 1);
	}
	return fflush(stdout) == 0;
}

static int run_watch_all(struct args *a)
{
	Orderd__V1__WatchOrdersRequest rq = ORDERD__V1__WATCH_ORDERS_REQUEST__INIT;
	struct watch_all w = {.a = a};
	struct orderd_error e;

	rq.customer = text(option(a, "customer"));
	rq.resume_token = text(option(a, "resume"));
	return orderd_watch_orders(a->client, &rq, show_orders, &w, a->deadline_ms, &e)
		       ? EXIT_DONE
		       : print_error(a, &e);
}

static int run_watch(struct args *a)
{
	Orderd__V1__WatchOrderRequest rq = ORDERD__V1__WATCH_ORDER_REQUEST__INIT;
	struct watch w = {.a = a};
	struct orderd_error e;

	a->outcome = true; /* the order's end, or the deadline */
	if (!flag(a, "deadline"))
		a->deadline_ms = WATCH_MS;
	if (flag(a, "all"))
		return run_watch_all(a);
	rq.order_id = text(a->words[0]);
	rq.after_sequence = number(option_or(a, "after", "0"), "--after");
	return orderd_watch_order(a->client, &rq, show_event, &w, a->deadline_ms, &e)
		       ? EXIT_DONE
		       : print_error(a, &e);
}

const struct command order_commands[] = {
	{NULL, "get", "[--events] ORDER", 1,
	 "show an order, with --events also what happened to it", run_get,
	 .examples = "  orderctl get --events 0190a3c2-7f3e-7cc1-a1a0-3d2f7a1b9c55\n"},
	{NULL, "status", "ORDER", 1, "where an order stands, in one line", run_status,
	 .about = "Print one line: the order's number, its state, its payment's, its fulfilment's. "
		  "The cheapest question there is about an order."},
	{NULL, "list", "[--customer ID] [--placed-after TIME] [--placed-before TIME] " PAGES_USAGE,
	 0, "orders, newest first", run_list,
	 .examples = "  orderctl list --customer c-1 --limit 10\n"
		     "  orderctl list --placed-after 2026-01-31T00:00:00Z --all --json | jq "
		     "'.orders[].order_id'\n"},
	{NULL, "cancel", "[--reason TEXT] [--etag E] [--request-id ID] ORDER", 1,
	 "cancel an order that is not packed yet", run_cancel,
	 .about = "Cancel an order none of which is packed yet. Its stock is free at once; money "
		  "that is held is let go by the workers, until then the order is CANCELLING."},
	{NULL, "watch", "[--after N] ORDER | --all [--customer ID] [--resume TOKEN]", 1,
	 "what happens to an order until it has ended, or with --all to all of them", run_watch,
	 .about = "Print a line for each thing that has happened to an order and for each as it "
		  "happens, until the order has ended or --deadline is over; by default that is a "
		  "week. A server that goes away is asked again, and nothing is told twice. With "
		  "--all a line begins with the order's number and id, and it begins with what "
		  "happens from now on; when it ends it says what --resume goes on with.",
	 .examples = "  orderctl watch 0190a3c2-7f3e-7cc1-a1a0-3d2f7a1b9c55\n"
		     "  orderctl watch --all --customer c-1\n"},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
