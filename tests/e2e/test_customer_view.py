"""What a customer is told of its orders, by every way to read one: states and what it needs, and nothing of the shop's own."""
import os
import re
import uuid

from feeding import open_feed
from keyed import Keyed
from world import run

TABLE = os.path.join(os.path.dirname(__file__), "..", "..", "server", "orders", "customer_table.h")
SHOP = ("clerk", "no route to host", "reviewed by hand", "suspicion", "job_dead", "label_voiding", "stolen_card", "key:root")


def rows(name):
    """The words of one table."""
    with open(TABLE) as f:
        return re.findall(r'X\("([a-z_]+)"', re.search(r"#define %s\(X\) (.*?)\n\n" % name, f.read() + "\n\n", re.S).group(1))


def metadata(credential):
    return [("authorization", "Bearer " + credential)]


def watch(k, credential, order_id):
    """All there is so far and what still comes, to the order's last event."""
    svc = k.w.pb["order_service"]
    return [m.event for m in k.channel.unary_stream(
        "/orderd.v1.OrderService/WatchOrder", svc.WatchOrderRequest.SerializeToString, svc.WatchOrderResponse.FromString)(
            svc.WatchOrderRequest(order_id=order_id), metadata=metadata(credential), timeout=60) if m.HasField("event")]


def follow(k, credential, token, order_id, last):
    """Events of the order behind the token, to that of sequence `last`."""
    call, seen = open_feed(k.w, token, channel=k.channel, metadata=metadata(credential)), []
    for m in call:
        seen += [e.event for e in m.events if e.order_id == order_id]
        if seen and seen[-1].sequence == last:
            call.cancel()
            return seen
    raise AssertionError("the feed has ended")


def token_of(k, credential):
    call = open_feed(k.w, channel=k.channel, metadata=metadata(credential))
    token = next(call).resume_token
    call.cancel()
    return token


def known(k, credential):
    k.becomes(credential, "NOT_FOUND")
    return credential


def place(k, **fields):
    return k.call(k.root, "OrderService", "PlaceOrder", k.w.order_request(customer="ada", **fields)).order.order_id


def plant(w, order_id):
    """What the shop has written on an order, of every sort; the books are as they were when it is taken away."""
    for kind, detail in (("job_dead", "payment.void: no route to host"), ("label_voiding", "the clerk has a suspicion"),
                         ("reviewed by hand", "a kind of tomorrow")):
        w.sql("WITH x AS (UPDATE orders SET version = version + 1 WHERE id = '%s' RETURNING tenant, id, version, state) "
              "INSERT INTO order_event (tenant, order_id, seq, kind, from_state, to_state, detail, actor) "
              "SELECT tenant, id, version, '%s', state, state, '%s', 'key:clerk' FROM x" % (order_id, kind, detail))
    w.sql("INSERT INTO order_hold (tenant, order_id, group_no, reason, detail) SELECT 1, '%s', 0, reason, 'suspicion of the clerk' "
          "FROM unnest(ARRAY['job_dead', 'shipping', 'payment']) reason" % order_id)


def every_kind_of_event__is_decided(w):
    with open(os.path.join(os.path.dirname(TABLE), "..", "..", "api", "orderd", "v1", "order.proto")) as f:
        text = re.search(r"int64 sequence = 1;.*?string kind = 3;", f.read(), re.S).group(0)
    kinds = set(re.findall(r"\b[a-z]+(?:_[a-z]+)*(?=[,;.])", re.search(r"(// placed,.*?payment_retried\.)", text, re.S).group(1)))
    told = set(rows("CUSTOMER_EVENT_TABLE"))
    own = {"pick_short", "resourced", "shipping_held", "label_voiding", "label_voided", "label_void_refused", "payment_unknown",
           "payment_lapsed", "job_dead", "job_retried", "job_cancelled"}
    assert kinds == told | own and not told & own, (kinds ^ (told | own))


def customer__is_told_no_internals_by_any_way(w):
    svc, pay = w.pb["order_service"], w.pb["payment_service"]
    with Keyed(w) as k:
        askers = [known(k, k.create(role, role, customer="ada")[1]) for role in ("customer", "service")]
        service = known(k, k.create("shop", "service")[1])
        token = token_of(k, service)
        keeper = open_feed(w, token, channel=k.channel, metadata=metadata(service))  # so that what is read for all stays read
        own = [token_of(k, asker) for asker in askers]
        order = place(k)
        w.until(lambda: w.state(order) == "completed", "delivery")
        whole = k.call(service, "OrderService", "GetOrder", svc.GetOrderRequest(order_id=order, with_events=True)).events
        assert all(e.actor for e in whole) and {"key:root", "payment", "shipping"} <= {e.actor for e in whole}, whole
        for asker, place_ in zip(askers, own):
            ways = {"GetOrder": k.call(asker, "OrderService", "GetOrder", svc.GetOrderRequest(order_id=order, with_events=True)).events,
                    "WatchOrder": watch(k, asker, order), "WatchOrders": follow(k, asker, place_, order, len(whole))}
            for way, events in ways.items():
                assert [(e.sequence, e.from_state, e.to_state, e.group, e.event_time) for e in events] == [
                    (e.sequence, e.from_state, e.to_state, e.group, e.event_time) for e in whole], way
                assert not any(e.actor for e in events), (way, events)
                assert {e.kind for e in events} <= {"updated", *rows("CUSTOMER_EVENT_TABLE")}, (way, events)
                assert {"placed", "confirmed", "shipped", "delivered", "completed"} <= {e.kind for e in events}, (way, events)
        # What a customer was sent is not what others are sent: they share what was read for them.
        assert list(whole) == watch(k, service, order) == follow(k, service, token, order, len(whole))
        keeper.cancel()  # from here on a follower may be the first, and has to be read for

        held = place(k, card="pm_card_visa_chargeDeclinedStolenCard", wait_for_payment=True)
        w.until(lambda: w.number("SELECT count(*) FROM payment WHERE order_id = '%s' AND state = 'declined'" % held) == 1, "a refusal")
        plant(w, held)
        try:
            last = w.number("SELECT version FROM orders WHERE id = '%s'" % held)
            requests = [("OrderService", "GetOrder", svc.GetOrderRequest(order_id=held, with_events=True)),
                        ("OrderService", "GetOrderStatus", svc.GetOrderStatusRequest(order_id=held)),
                        ("OrderService", "BatchGetOrders", svc.BatchGetOrdersRequest(order_ids=[held])),
                        ("OrderService", "ListOrders", svc.ListOrdersRequest()),
                        ("PaymentService", "GetPayment", pay.GetPaymentRequest(order_id=held, group=1)),
                        ("PaymentService", "ListPayments", pay.ListPaymentsRequest(order_id=held))]
            for asker in askers:
                told = [k.call(asker, *request) for request in requests] + follow(k, asker, own[0], held, last)
                found = [(word, m) for m in told for word in SHOP if word in str(m)]
                assert not found, found
                order_now = told[0].order
                assert [h.reason for h in order_now.holds] == ["payment"] and order_now.holds[0].detail == "generic_decline", order_now.holds
                assert [e.sequence for e in told[0].events] == list(range(1, last + 1))
                assert [e.kind for e in told[0].events][-3:] == ["updated"] * 3 and not any(e.detail for e in told[0].events[-3:])
                assert ("payment_declined", "generic_decline") in {(e.kind, e.detail) for e in told[0].events}
                assert told[4].payment.decline_code == told[4].payment.attempts[0].decline_code == "generic_decline"
                assert order_now.groups[0].decline_code == told[2].orders[0].groups[0].decline_code == "generic_decline"
            shop = "".join(str(k.call(service, *request)) for request in requests) + str(follow(k, service, token, held, last))
            assert all(word in shop for word in SHOP), [word for word in SHOP if word not in shop]
        finally:
            w.sql("DELETE FROM order_hold WHERE order_id = '%s'" % held)
        # The answers of calls that change something are cut alike, and so is a stream that ends with them.
        cancelled = k.call(askers[0], "OrderService", "CancelOrder", svc.CancelOrderRequest(
            order_id=held, request_id=str(uuid.uuid4()), reason="changed my mind"))
        assert "stolen_card" not in str(cancelled), cancelled
        seen = watch(k, askers[0], held)
        assert "cancelled" in {e.kind for e in seen} and not [word for word in SHOP if word in str(seen)], seen


def code_that_helps__is_told(w):
    pay = w.pb["payment_service"]
    with Keyed(w) as k:
        ada = known(k, k.create("ada", "customer", customer="ada")[1])
        order = place(k, card="pm_card_visa_chargeDeclinedInsufficientFunds", wait_for_payment=True)
        w.until(lambda: w.number("SELECT count(*) FROM payment WHERE order_id = '%s' AND state = 'declined'" % order) == 1, "a refusal")
        assert k.call(ada, "PaymentService", "GetPayment", pay.GetPaymentRequest(order_id=order, group=1)).payment.decline_code == "insufficient_funds"


run(every_kind_of_event__is_decided, customer__is_told_no_internals_by_any_way, code_that_helps__is_told)
