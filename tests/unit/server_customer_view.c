/* customer_view(): what is for customers stays, what is the shop's own goes, wherever it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "orderd/v1/order_service.pb-c.h"
#include "orderd/v1/payment_service.pb-c.h"
#include "orderd/v1/shipping_service.pb-c.h"
#include "server/orders/customer_view.h"
#include "server/request.h"

#define DATA(text) data_of(STR(text))

static void assert_text(ProtobufCBinaryData is, const char *want)
{
	assert_true(str_eq(text_of(is), str_of(want)));
}

static Orderd__V1__OrderEvent an_event(const char *kind, const char *detail)
{
	Orderd__V1__OrderEvent e = ORDERD__V1__ORDER_EVENT__INIT;

	e.sequence = 4;
	e.group = 2;
	e.from_state = e.to_state = ORDERD__V1__ORDER_STATE__ORDER_STATE_CONFIRMED;
	e.kind = data_of(str_of(kind));
	e.detail = data_of(str_of(detail));
	e.actor = DATA("key:clerk");
	return e;
}

static void event__tells_what_its_row_says_and_nobodys_name(void **state)
{
	static const struct {
		const char *kind, *detail, *told_kind, *told_detail;
	} each[] = {
		{"shipped", "a note", "shipped", ""},
		{"picked", "hall/7: 1 of 2 of line 1", "picked", ""},
		{"cancel_requested", "looks like fraud", "cancel_requested", ""},
		{"delayed", "units missing: 2", "delayed", "units missing: 2"},
		{"tracking", "in_transit", "tracking", "in_transit"},
		{"payment_declined", "insufficient_funds", "payment_declined",
		 "insufficient_funds"},
		{"payment_declined", "stolen_card", "payment_declined", "generic_decline"},
		{"payment_declined", "", "payment_declined", ""},
		{"job_dead", "payment.void: no route", "updated", ""},
		{"shipping_held", "no rate", "updated", ""},
		{"label_voiding", "the clerk's word", "updated", ""},
		{"a kind of tomorrow", "x", "updated", ""},
		{"updated", "", "updated", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		Orderd__V1__OrderEvent e = an_event(each[i].kind, each[i].detail);

		for (int twice = 0; twice < 2; twice++) {
			customer_view(&e.base);
			assert_text(e.kind, each[i].told_kind);
			assert_text(e.detail, each[i].told_detail);
			assert_int_equal(e.actor.len, 0);
		}
		assert_int_equal(e.sequence, 4);
		assert_int_equal(e.group, 2);
		assert_int_equal(e.from_state, ORDERD__V1__ORDER_STATE__ORDER_STATE_CONFIRMED);
		assert_int_equal(e.to_state, ORDERD__V1__ORDER_STATE__ORDER_STATE_CONFIRMED);
	}
}

static void holds__are_those_a_customer_waits_for(void **state)
{
	static const char *const reasons[] = {"review",  "inventory", "job_dead",
					      "payment", "shipping",  "returned"};
	Orderd__V1__GetOrderResponse rs = ORDERD__V1__GET_ORDER_RESPONSE__INIT;
	Orderd__V1__Order order = ORDERD__V1__ORDER__INIT;
	Orderd__V1__Hold each[6], *list[6];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		orderd__v1__hold__init(&each[i]);
		each[i].reason = data_of(str_of(reasons[i]));
		each[i].detail = DATA("lost_card");
		list[i] = &each[i];
	}
	order.holds = list;
	order.n_holds = 6;
	rs.order = &order;
	customer_view(&rs.base);
	assert_int_equal(order.n_holds, 3);
	assert_text(order.holds[0]->reason, "inventory");
	assert_text(order.holds[1]->reason, "payment");
	assert_text(order.holds[1]->detail, "generic_decline");
	assert_text(order.holds[2]->reason, "returned");
	assert_text(order.holds[2]->detail, "lost_card");
}

static void codes__are_those_a_customer_can_act_upon(void **state)
{
	Orderd__V1__GetPaymentResponse rs = ORDERD__V1__GET_PAYMENT_RESPONSE__INIT;
	Orderd__V1__PaymentAttempt attempt = ORDERD__V1__PAYMENT_ATTEMPT__INIT, *attempts[1];
	Orderd__V1__ShipmentGroup group = ORDERD__V1__SHIPMENT_GROUP__INIT, *groups[1];
	Orderd__V1__ListOrdersResponse many = ORDERD__V1__LIST_ORDERS_RESPONSE__INIT;
	Orderd__V1__Order order = ORDERD__V1__ORDER__INIT, *orders[1];
	Orderd__V1__Payment payment = ORDERD__V1__PAYMENT__INIT;

	(void)state;
	payment.decline_code = DATA("fraudulent");
	attempt.decline_code = DATA("pickup_card");
	attempts[0] = &attempt;
	payment.attempts = attempts;
	payment.n_attempts = 1;
	rs.payment = &payment;
	customer_view(&rs.base);
	assert_text(payment.decline_code, "generic_decline");
	assert_text(attempt.decline_code, "generic_decline");

	group.decline_code = DATA("merchant_blacklist");
	groups[0] = &group;
	order.groups = groups;
	order.n_groups = 1;
	orders[0] = &order;
	many.orders = orders;
	many.n_orders = 1;
	customer_view(&many.base);
	assert_text(group.decline_code, "generic_decline");
	group.decline_code = DATA("expired_card");
	customer_view(&many.base);
	assert_text(group.decline_code, "expired_card");
}

static void stream__is_cut_like_an_answer(void **state)
{
	Orderd__V1__WatchOrdersResponse many = ORDERD__V1__WATCH_ORDERS_RESPONSE__INIT;
	Orderd__V1__WatchOrderResponse one = ORDERD__V1__WATCH_ORDER_RESPONSE__INIT;
	Orderd__V1__OrderEvent e = an_event("job_retried", "x"), f = e;
	Orderd__V1__OrderFeedEvent fed = ORDERD__V1__ORDER_FEED_EVENT__INIT, *list[1] = {&fed};
	Orderd__V1__Heartbeat beat = ORDERD__V1__HEARTBEAT__INIT;

	(void)state;
	one.what_case = ORDERD__V1__WATCH_ORDER_RESPONSE__WHAT_EVENT;
	one.event = &e;
	customer_view(&one.base);
	assert_text(e.kind, "updated");
	one.what_case = ORDERD__V1__WATCH_ORDER_RESPONSE__WHAT_HEARTBEAT;
	one.heartbeat = &beat; /* which is no event, though it lies where one would */
	customer_view(&one.base);
	fed.event = &f;
	many.events = list;
	many.n_events = 1;
	customer_view(&many.base);
	assert_text(f.kind, "updated");
	assert_int_equal(f.actor.len, 0);
}

static void sourcing__is_the_shops(void **state)
{
	Orderd__V1__PlaceOrderResponse rs = ORDERD__V1__PLACE_ORDER_RESPONSE__INIT;
	ProtobufCBinaryData reasons[1] = {DATA("HALL has all of it")};

	(void)state;
	rs.sourcing_reasons = reasons;
	rs.n_sourcing_reasons = 1;
	customer_view(&rs.base);
	assert_int_equal(rs.n_sourcing_reasons, 0);
}

static void scan__does_not_say_who_told_it(void **state)
{
	Orderd__V1__GetShipmentResponse rs = ORDERD__V1__GET_SHIPMENT_RESPONSE__INIT;
	Orderd__V1__TrackingScan scan = ORDERD__V1__TRACKING_SCAN__INIT, *scans[1] = {&scan};
	Orderd__V1__Shipment shipment = ORDERD__V1__SHIPMENT__INIT;

	(void)state;
	scan.status = DATA("delivered");
	scan.source = DATA("report");
	shipment.scans = scans;
	shipment.n_scans = 1;
	rs.shipment = &shipment;
	customer_view(&rs.base);
	assert_int_equal(scan.source.len, 0);
	assert_text(scan.status, "delivered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event__tells_what_its_row_says_and_nobodys_name),
		cmocka_unit_test(holds__are_those_a_customer_waits_for),
		cmocka_unit_test(codes__are_those_a_customer_can_act_upon),
		cmocka_unit_test(stream__is_cut_like_an_answer),
		cmocka_unit_test(sourcing__is_the_shops),
		cmocka_unit_test(scan__does_not_say_who_told_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
