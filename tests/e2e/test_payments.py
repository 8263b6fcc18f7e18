"""Money that does not come at the first asking, or does not stay: another method, a customer who confirms, authorizations
that end before the goods leave.  Whatever happens, and whoever is killed, a parcel is paid for once."""
import json
import os
import urllib.error
import urllib.request
import uuid

from test_simulator import listen
from world import run

DAY_S = 86400
# Renewed a month ahead: the simulator's clock is moved by days, by less than three weeks in all, the worker's is not.
CONFIG = """
roles = payment,fulfillment,shipping,janitor
payment_return_url = https://shop.example/thanks
action_poll_ms = 200
renew_ahead_s = 2592000
"""
ALL_ROLES, NO_GOODS = "payment,fulfillment,shipping,janitor", "payment,shipping,janitor"
THREE_D = "pm_card_threeDSecure2Required"


def sim(w, path, **body):
    request = urllib.request.Request(w.env["SIM_URL"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=10).read()


def setting(w, name, value):
    """The worker is killed, and comes again with this setting."""
    path = os.path.join(w.env["DATA"], "orderd.conf")
    with open(path) as f:
        lines = ["%s = %s\n" % (name, value) if line.startswith(name + " ") else line for line in f]
    with open(path, "w") as f:
        f.writelines(lines)
    w.kill("worker")
    w.again("worker")


def roles(w, names):
    setting(w, "roles", names)


def payments(w, order=None, **fields):
    svc = w.pb["payment_service"]
    return w.call("PaymentService", "ListPayments", svc.ListPaymentsRequest(order_id=order, **fields))


def payment(w, order, group=1):
    return w.call("PaymentService", "GetPayment", w.pb["payment_service"].GetPaymentRequest(order_id=order, group=group)).payment


def retry_request(w, order, card, **fields):
    fields.setdefault("request_id", str(uuid.uuid4()))
    return w.pb["payment_service"].RetryPaymentRequest(order_id=order, payment_method=card, **fields)


def retry(w, order, card, **fields):
    return w.call("PaymentService", "RetryPayment", retry_request(w, order, card, **fields))


def refused_retry(w, order, card, **fields):
    return w.refusal("PaymentService", "RetryPayment", retry_request(w, order, card, **fields))


def state(w, order):
    return w.pb["order"].PaymentState.Name(payment(w, order).state).replace("PAYMENT_STATE_", "").lower()


def in_state(w, order, name):
    w.until(lambda: state(w, order) == name, "a payment that is " + name)


def events(w, order):
    return [e.kind for e in w.get(order, with_events=True).events]


def arrives(w, order, authorized=1):
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert len(w.charges("authorize", order)) == authorized, w.charges("authorize", order)
    assert len(w.charges("capture", order)) == 1, w.charges("capture", order)
    # what was taken is what was authorized last
    assert w.charges("capture", order)[0]["payment_intent"] == w.charges("authorize", order)[-1]["payment_intent"]


def ends(w, order):
    """The order's time is over, as far as the database is concerned."""
    w.sql("UPDATE orders SET expires_at = now() WHERE id = '%s'" % order)


# ---- another method

def declined__the_next_method_is_tried(w):
    order = w.place(card="pm_card_chargeDeclined",
                    fallback_payment_methods=["pm_card_chargeDeclinedInsufficientFunds", "pm_card_visa"]).order_id
    arrives(w, order)
    p = payment(w, order)
    assert [(a.number, a.state, a.decline_code) for a in p.attempts] == [
        (1, "declined", "generic_decline"), (2, "declined", "insufficient_funds"), (3, "captured", "")], p
    assert p.method == "pm_card_visa" and p.captured.amount_minor == p.amount.amount_minor == 1290, p
    assert [t.kind for t in p.transactions] == ["authorize", "capture"], p
    assert events(w, order).count("payment_declined") == 2


def all_methods_declined__rejected(w):
    order = w.place(card="pm_card_chargeDeclined", fallback_payment_methods=["pm_card_chargeDeclinedLostCard"]).order_id
    w.until(lambda: w.state(order) == "rejected", "the rejection")
    assert w.charges("authorize", order) == []


def declined_and_waiting__a_person_brings_another_method(w):
    order = w.place(card="pm_card_chargeDeclined", wait_for_payment=True).order_id
    in_state(w, order, "declined")
    assert w.state(order) == "pending"
    declined = w.pb["order"].PAYMENT_STATE_DECLINED
    assert order in [p.order_id for p in payments(w, state=declined, page_size=200).payments]
    once = str(uuid.uuid4())
    assert retry(w, order, "pm_card_visa", request_id=once).payments[0].order_id == order
    arrives(w, order)
    retry(w, order, "pm_card_visa", request_id=once)  # the same as it is now
    assert events(w, order).count("payment_retried") == 1
    assert refused_retry(w, order, "pm_card_amex", request_id=once)[:2] == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert refused_retry(w, order, "pm_card_visa")[:2] == ("FAILED_PRECONDITION", "PAYMENT_NOT_DECLINED")
    arrives(w, order)


def declined_and_waiting__ends_with_its_time(w):
    order = w.place(card="pm_card_chargeDeclined", wait_for_payment=True).order_id
    in_state(w, order, "declined")
    ends(w, order)
    w.until(lambda: w.state(order) == "expired", "the end")
    assert refused_retry(w, order, "pm_card_visa")[:2] == ("FAILED_PRECONDITION", "ORDER_EXPIRED")


def bad_requests__are_told_the_field(w):
    svc, order = w.pb["payment_service"], w.place().order_id
    assert refused_retry(w, "x", "", group=-1, request_id="")[3].keys() == {"order_id", "payment_method", "group", "request_id"}
    assert list(refused_retry(w, order, "a", fallback_payment_methods=["a"] * 5)[3]) == ["fallback_payment_methods"]
    assert list(refused_retry(w, order, "a", fallback_payment_methods=["a", "b\nc"])[3]) == ["fallback_payment_methods[1]"]
    assert refused_retry(w, str(uuid.uuid4()), "a")[0] == "NOT_FOUND"

    def refused(method, request):
        return w.refusal("PaymentService", method, request)
    assert refused("GetPayment", svc.GetPaymentRequest(order_id=order, group=2))[0] == "NOT_FOUND"
    assert list(refused("GetPayment", svc.GetPaymentRequest(order_id=order))[3]) == ["group"]
    assert list(refused("ListPayments", svc.ListPaymentsRequest())[3]) == ["order_id"]
    for name in ("PENDING", "AUTHORIZED", "CAPTURED", "VOIDED", "PARTIALLY_CAPTURED"):
        number = w.pb["order"].PaymentState.Value("PAYMENT_STATE_" + name)
        assert list(refused("ListPayments", svc.ListPaymentsRequest(state=number))[3]) == ["state"], name
    assert list(refused("ListPayments", svc.ListPaymentsRequest(order_id=order, page_token="x"))[3]) == ["page_token"]
    arrives(w, order)


def lists__go_on_page_by_page_with_their_own_token_only(w):
    declined = w.pb["order"].PAYMENT_STATE_DECLINED
    mine = [w.place(card="pm_card_chargeDeclined", wait_for_payment=True).order_id for _ in range(3)]
    for order in mine:
        in_state(w, order, "declined")
    seen, token = [], ""
    while True:
        page = payments(w, state=declined, page_size=2, page_token=token)
        seen += [p.order_id for p in page.payments]
        if not page.next_page_token:
            break
        token = page.next_page_token
    assert [o for o in seen if o in mine] == sorted(mine) and len(set(seen)) == len(seen), seen
    other = w.pb["payment_service"].ListPaymentsRequest(state=w.pb["order"].PAYMENT_STATE_UNKNOWN, page_token=token)
    assert list(w.refusal("PaymentService", "ListPayments", other)[3]) == ["page_token"]
    for order in mine:
        assert w.pb["order"].OrderState.Name(w.cancel(order).state) == "ORDER_STATE_CANCELLED"


# ---- a customer who confirms

def asked(w, **fields):
    order = w.place(card=THREE_D, **fields).order_id
    in_state(w, order, "requires_action")
    return order, payment(w, order).attempts[0].gateway_id


def must_be_confirmed__the_customer_confirms(w):
    order, intent = asked(w)
    p = payment(w, order)
    assert p.action_url.startswith("http") and intent in p.action_url, p
    assert w.state(order) == "pending"
    sim(w, "/_sim/authenticate", payment_intent=intent, outcome="succeed")
    arrives(w, order)
    p = payment(w, order)
    assert p.action_url == "" and len(p.attempts) == 1, p
    assert events(w, order).count("payment_action_required") == 1
    assert w.sql("SELECT detail FROM order_event WHERE order_id = '%s' AND detail LIKE '%%http%%'" % order) == []


def must_be_confirmed__the_customer_fails(w):
    order, intent = asked(w, fallback_payment_methods=["pm_card_visa"])
    try:
        sim(w, "/_sim/authenticate", payment_intent=intent, outcome="fail")
    except urllib.error.HTTPError as e:
        assert e.code == 402, e  # what the customer is told
    arrives(w, order)
    assert [a.state for a in payment(w, order).attempts] == ["declined", "captured"]


def must_be_confirmed__nobody_does_in_time(w):
    order, intent = asked(w)
    ends(w, order)
    w.until(lambda: w.state(order) == "rejected", "the rejection")
    assert payment(w, order).decline_code == "authentication_timeout"
    assert [c["payment_intent"] for c in w.charges("cancel", order)] == [intent]
    waiting, _ = asked(w, wait_for_payment=True)
    ends(w, waiting)
    w.until(lambda: w.state(waiting) == "expired", "the end")


def must_be_confirmed__cancelled_meanwhile(w):
    order, intent = asked(w)
    w.cancel(order)
    w.until(lambda: w.state(order) == "cancelled", "the cancellation")
    assert [c["payment_intent"] for c in w.charges("cancel", order)] == [intent]
    assert w.charges("authorize", order) == []


def must_be_confirmed__the_gateway_tells_that_it_was(w):
    setting(w, "action_poll_ms", 3600000)
    order, _ = asked(w)
    listen(w)
    urllib.request.urlopen(payment(w, order).action_url, timeout=10).read()  # the customer follows the link
    arrives(w, order)
    sim(w, "/_sim/webhooks", gateway=None, carrier=None)
    setting(w, "action_poll_ms", 200)


# ---- authorizations that end

def confirmed(w, **fields):
    """An order that nobody picks yet."""
    order = w.place(**fields).order_id
    w.until(lambda: w.state(order) == "confirmed", "the confirmation")
    return order


def grows_old(w, order, days=1):
    """Days pass at the gateway; in the database the authorization is as old as can be."""
    sim(w, "/_sim/clock", advance_s=days * DAY_S)
    w.sql("UPDATE payment_attempt SET updated_at = updated_at - interval '90 days' WHERE order_id = '%s'" % order)


def ends_before_the_goods_leave__renewed(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    assert payment(w, order).authorized_until.seconds > 0
    grows_old(w, order, days=6)
    w.until(lambda: len(w.charges("authorize", order)) == 2, "the renewal")
    in_state(w, order, "authorized")
    first, second = w.charges("authorize", order)
    assert [c["payment_intent"] for c in w.charges("cancel", order)] == [first["payment_intent"]]
    assert w.charges("capture", order) == [] and w.state(order) == "confirmed"
    assert [a.state for a in payment(w, order).attempts] == ["voided", "authorized"]
    w.audit()
    roles(w, ALL_ROLES)
    arrives(w, order, authorized=2)
    assert w.charges("capture", order)[0]["payment_intent"] == second["payment_intent"]


def has_ended_unseen__held_anew_before_the_parcel_leaves(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    sim(w, "/_sim/clock", advance_s=8 * DAY_S)
    roles(w, ALL_ROLES)
    arrives(w, order, authorized=2)
    assert len(w.charges("expire", order)) == 1 and w.charges("cancel", order) == []
    assert "payment_lapsed" in events(w, order)


def has_ended__the_gateway_tells_and_it_is_held_anew(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    listen(w)
    sim(w, "/_sim/clock", advance_s=8 * DAY_S)
    w.until(lambda: len(w.charges("authorize", order)) == 2, "the renewal")
    sim(w, "/_sim/webhooks", gateway=None, carrier=None)
    roles(w, ALL_ROLES)
    arrives(w, order, authorized=2)
    assert w.charges("cancel", order) == []


def renewal_declined__the_parcel_waits_for_a_person(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    w.sql("UPDATE payment SET method_token = 'pm_card_chargeDeclined' WHERE order_id = '%s'" % order)
    grows_old(w, order)
    in_state(w, order, "declined")
    assert w.state(order) == "confirmed"
    assert w.number("SELECT count(*) FROM order_hold WHERE order_id = '%s' AND released_at IS NULL" % order) == 1
    w.audit()
    roles(w, ALL_ROLES)
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND kind = 'payment.capture' AND state = 'ready' "
                             "AND run_at > now()" % order) == 1, "a capture that waits")
    assert w.charges("capture", order) == []
    retry(w, order, "pm_card_visa")
    arrives(w, order, authorized=2)
    assert w.number("SELECT count(*) FROM order_hold WHERE order_id = '%s' AND released_at IS NULL" % order) == 0


# ---- killed between the gateway's answer and our record

def killed_when(w, kind, n, order):
    w.until(lambda: len(w.charges(kind, order)) == n, "the " + kind)
    w.kill("worker")
    w.again("worker")


def worker_killed_while_letting_go__let_go_once_and_renewed(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    w.fault(path="/v1/payment_intents/*/cancel", fault="slow", count=1, ms=2000)
    grows_old(w, order)
    killed_when(w, "cancel", 1, order)
    w.until(lambda: len(w.charges("authorize", order)) == 2, "the renewal")
    assert len(w.charges("cancel", order)) == 1
    roles(w, ALL_ROLES)
    arrives(w, order, authorized=2)


def worker_killed_while_authorizing_anew__held_once(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2000)
    grows_old(w, order)
    killed_when(w, "authorize", 2, order)
    roles(w, ALL_ROLES)
    arrives(w, order, authorized=2)


def worker_killed_while_capturing_what_was_renewed__taken_once(w):
    roles(w, NO_GOODS)
    order = confirmed(w)
    grows_old(w, order)
    w.until(lambda: len(w.charges("authorize", order)) == 2, "the renewal")
    w.fault(path="/v1/payment_intents/*/capture", fault="slow", count=1, ms=2000)
    roles(w, ALL_ROLES)
    killed_when(w, "capture", 1, order)
    arrives(w, order, authorized=2)


def worker_killed_while_a_declined_card_is_asked__the_next_is_charged_once(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2000)
    order = w.place(card="pm_card_chargeDeclined", fallback_payment_methods=["pm_card_visa"]).order_id
    killed_when(w, "decline", 1, order)
    arrives(w, order)
    assert len(w.charges("decline", order)) == 1


def worker_killed_while_the_customer_is_sent_to_the_bank__asked_once(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2000)
    order = w.place(card=THREE_D).order_id
    w.until(lambda: order in journal(w), "the asking")
    w.kill("worker")
    w.again("worker")
    in_state(w, order, "requires_action")
    p = payment(w, order)
    sim(w, "/_sim/authenticate", payment_intent=p.attempts[0].gateway_id, outcome="succeed")
    arrives(w, order)
    assert len(payment(w, order).attempts) == 1


def journal(w):
    with open(os.path.join(w.env["DATA"], "sim", "gateway.jsonl")) as f:
        return f.read()


def at_the_end__the_books_are_right(w):
    w.until(lambda: w.number("SELECT count(*) FROM orders WHERE state IN ('pending', 'confirmed', 'cancelling')") == 0, "the end")
    w.audit()
    fates = {}
    for kind in ("capture", "expire", "cancel"):
        for c in w.charges(kind):
            fates.setdefault(c["payment_intent"], []).append(kind)
    held = {c["payment_intent"] for c in w.charges("authorize")}
    assert all(len(fates.get(intent, [])) == 1 for intent in held), {i: fates.get(i) for i in held}
    taken = {}
    for c in w.charges("capture"):
        taken[c["order"]] = taken.get(c["order"], 0) + c["amount"]
    booked = dict(w.sql("SELECT order_id, sum(captured_minor) FROM payment WHERE captured_minor > 0 GROUP BY order_id"))
    assert taken == {order: int(amount) for order, amount in booked.items()}


run(
    declined__the_next_method_is_tried, all_methods_declined__rejected, declined_and_waiting__a_person_brings_another_method,
    declined_and_waiting__ends_with_its_time, bad_requests__are_told_the_field,
    lists__go_on_page_by_page_with_their_own_token_only, must_be_confirmed__the_customer_confirms,
    must_be_confirmed__the_customer_fails, must_be_confirmed__nobody_does_in_time, must_be_confirmed__cancelled_meanwhile,
    must_be_confirmed__the_gateway_tells_that_it_was,
    worker_killed_while_a_declined_card_is_asked__the_next_is_charged_once,
    worker_killed_while_the_customer_is_sent_to_the_bank__asked_once,
    ends_before_the_goods_leave__renewed, has_ended_unseen__held_anew_before_the_parcel_leaves,
    renewal_declined__the_parcel_waits_for_a_person, worker_killed_while_letting_go__let_go_once_and_renewed,
    worker_killed_while_authorizing_anew__held_once, worker_killed_while_capturing_what_was_renewed__taken_once,
    has_ended__the_gateway_tells_and_it_is_held_anew, at_the_end__the_books_are_right, config=CONFIG)
