"""An order's life as a caller sees it, and every way of asking for it wrongly."""
import re
import urllib.request
import uuid

from world import run


def order__is_carried_to_the_door(w):
    order = w.place(lines=[("mug", 2), ("lamp", 1)])
    assert order.state == 1 and order.order_number > 0 and order.total.amount_minor == 2 * 1290 + 4950
    w.until(lambda: w.state(order.order_id) == "completed", "delivery")
    got = w.get(order.order_id, with_events=True)
    assert [l.quantities.delivered for l in got.order.lines] == [2, 1]
    assert got.order.ship_to.name == "Ada Example"
    kinds = [e.kind for e in got.events]
    assert [e.sequence for e in got.events] == list(range(1, len(kinds) + 1))
    story = [k for k in kinds if k != "tracking"]
    assert story == ["placed", "payment_authorized", "confirmed", "picked", "packed", "label_bought", "payment_captured",
                     "shipped", "delivered", "completed"], story
    charge, = w.charges("capture", order.order_id)
    assert charge["amount"] == order.total.amount_minor and charge["currency"] == "eur"
    assert len(w.charges("authorize", order.order_id)) == 1


def order_over_two_locations__is_two_parcels_and_two_payments(w):
    order = w.place(lines=[("lamp", 60)])
    assert len(order.groups) == 2 and sum(g.amount.amount_minor for g in order.groups) == order.total.amount_minor
    w.until(lambda: w.state(order.order_id) == "completed", "delivery")
    got = w.get(order.order_id).order
    assert len({g.tracking_code for g in got.groups}) == 2
    assert sum(c["amount"] for c in w.charges("capture", order.order_id)) == order.total.amount_minor


def declined_payment__rejects_the_order_and_frees_its_stock(w):
    before = w.sql("SELECT sum(on_hand - reserved - allocated) FROM stock")
    order = w.place(lines=[("mug", 3)], card="pm_card_chargeDeclined")
    w.until(lambda: w.state(order.order_id) == "rejected", "rejection")
    got = w.get(order.order_id).order
    assert got.groups[0].decline_code == "generic_decline"
    assert got.lines[0].quantities.cancelled == 3
    assert w.sql("SELECT sum(on_hand - reserved - allocated) FROM stock") == before
    assert w.charges("capture", order.order_id) == []


def cancelled_while_being_paid__money_is_let_go(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2500)
    order = w.place()
    cancelled = w.cancel(order.order_id, reason="changed my mind")
    assert cancelled.state in (3, 5)  # CANCELLING or, if the worker had not asked yet, CANCELLED
    w.until(lambda: w.state(order.order_id) == "cancelled", "cancellation")
    assert len(w.charges("authorize", order.order_id)) == len(w.charges("cancel", order.order_id))
    assert w.charges("capture", order.order_id) == []


def cancelled_again_with_its_request_id__is_the_same_answer(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2500)
    order, request = w.place(), str(uuid.uuid4())
    first = w.cancel(order.order_id, request_id=request)
    again = w.cancel(order.order_id, request_id=request)
    assert again.order_id == first.order_id
    other = w.refusal("OrderService", "CancelOrder", w.pb["order_service"].CancelOrderRequest(
        order_id=order.order_id, request_id=request, reason="another body"))
    assert other[:2] == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED"), other
    w.until(lambda: w.state(order.order_id) == "cancelled", "cancellation")


def delivered_order__can_not_be_cancelled(w):
    order = w.place()
    w.until(lambda: w.state(order.order_id) == "completed", "delivery")
    got = w.refusal("OrderService", "CancelOrder", w.pb["order_service"].CancelOrderRequest(
        order_id=order.order_id, request_id=str(uuid.uuid4())))
    assert got[:2] == ("FAILED_PRECONDITION", "NOT_CANCELLABLE"), got


def cancel_of_an_older_version__is_refused(w):
    order = w.place()
    w.until(lambda: w.state(order.order_id) == "completed", "delivery")
    got = w.refusal("OrderService", "CancelOrder", w.pb["order_service"].CancelOrderRequest(
        order_id=order.order_id, request_id=str(uuid.uuid4()), etag=order.etag))
    assert got[:2] == ("ABORTED", "ETAG_MISMATCH"), got


def replayed_request__answers_the_order_as_it_is_now(w):
    rq = w.order_request(lines=[("mug", 1)])
    first = w.call("OrderService", "PlaceOrder", rq).order
    w.until(lambda: w.state(first.order_id) == "completed", "delivery")
    again = w.call("OrderService", "PlaceOrder", rq).order
    assert again.order_id == first.order_id and again.state == 4
    rq.lines[0].quantity = 2
    assert w.refusal("OrderService", "PlaceOrder", rq)[:2] == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")


def order_without_stock__is_refused_and_its_request_id_free_again(w):
    rq = w.order_request(lines=[("bulk", 5)])
    status, reason, facts, _ = w.refusal("OrderService", "PlaceOrder", rq)
    assert (status, reason, facts.get("sku"), facts.get("available")) == ("FAILED_PRECONDITION", "OUT_OF_STOCK", "bulk", "0")
    w.receive("BER1", bulk=5)
    order = w.call("OrderService", "PlaceOrder", rq).order
    w.until(lambda: w.state(order.order_id) == "completed", "delivery")


def expected_total__guards_the_price(w):
    money = w.pb["money"].Money
    got = w.refusal("OrderService", "PlaceOrder", w.order_request(expected_total=money(currency_code="EUR", amount_minor=1)))
    assert got[:2] == ("FAILED_PRECONDITION", "PRICE_CHANGED")
    order = w.place(expected_total=money(currency_code="EUR", amount_minor=1290))
    assert order.total.amount_minor == 1290


def validate_only__stores_nothing(w):
    before = w.number("SELECT count(*) FROM orders")
    answer = w.call("OrderService", "PlaceOrder", w.order_request(validate_only=True))
    assert answer.order.order_id == "" and answer.order.total.amount_minor == 1290 and len(answer.sourcing_reasons) > 0
    assert w.number("SELECT count(*) FROM orders") == before


def bad_input__names_the_field_and_stores_nothing(w):
    svc, money = w.pb["order_service"], w.pb["money"].Money
    line = svc.NewOrderLine

    def bad(field, **changes):
        rq = w.order_request()
        for name, value in changes.items():
            rq.ClearField(name)
            if isinstance(value, list):
                getattr(rq, name).extend(value)
            elif hasattr(value, "CopyFrom"):
                getattr(rq, name).CopyFrom(value)
            else:
                setattr(rq, name, value)
        status, reason, _, fields = w.refusal("OrderService", "PlaceOrder", rq)
        assert status == "INVALID_ARGUMENT", (field, status)
        assert field in fields, (field, reason, fields)

    before = w.sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM request), (SELECT count(*) FROM contact)")
    bad("lines", lines=[])
    bad("lines", lines=[line(sku="mug", quantity=1)] * 5001)
    bad("lines[0].sku", lines=[line(sku="no such thing", quantity=1)])
    bad("lines[0].sku", lines=[line(sku="", quantity=1)])
    for quantity in (0, -1, 2**31, 2**63 - 1, -2**63):
        bad("lines[0].quantity", lines=[line(sku="mug", quantity=quantity)])
    for price in (-1, 2**63 - 1):
        bad("lines[0].unit_price", lines=[line(sku="mug", quantity=1, unit_price=money(currency_code="EUR", amount_minor=price))])
    bad("lines[0].quantity", lines=[line(sku="mug", quantity=10**9,
                                         unit_price=money(currency_code="EUR", amount_minor=9007199254740991))])
    bad("lines[0].unit_price", lines=[line(sku="mug", quantity=1, unit_price=money(currency_code="eur", amount_minor=1))])
    bad("lines[1].unit_price.currency_code",
        lines=[line(sku="mug", quantity=1), line(sku="lamp", quantity=1, unit_price=money(currency_code="USD", amount_minor=1))])
    bad("request_id", request_id="")
    bad("request_id", request_id="x" * 129)
    bad("customer", customer="")
    bad("customer", customer="x" * 129)
    bad("payment_method", payment_method="")
    bad("ship_to.name", ship_to=w.pb["place"].Address(street="s", city="c", postal_code="p", country_code="DE"))
    bad("ship_to.country_code", ship_to=w.pb["place"].Address(name="n", street="s", city="c", postal_code="p", country_code="de"))
    bad("ship_to.street", ship_to=w.pb["place"].Address(name="n", street="x" * 5000, city="c", postal_code="p", country_code="DE"))
    after = w.sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM request), (SELECT count(*) FROM contact)")
    assert after == before


def text_that_is_no_text__is_refused_by_field(w):
    # The Python API refuses such strings, so the message is written by hand: field 2 (customer) of PlaceOrderRequest.
    for raw in (b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80", b"\xc0\xaf"):
        message = w.order_request(customer="REPLACE").SerializeToString()
        message = message.replace(b"\x12\x07REPLACE", b"\x12" + bytes([len(raw)]) + raw)
        import grpc
        from world import details_of
        try:
            w.channel.unary_unary("/orderd.v1.OrderService/PlaceOrder")(message, timeout=10)
            raise AssertionError("%r was taken" % raw)
        except grpc.RpcError as e:
            assert e.code().name == "INVALID_ARGUMENT" and "customer" in details_of(e)[2], (raw, e)


def unknown_order__is_not_found(w):
    svc = w.pb["order_service"]
    nobody = "01890000-0000-7000-8000-000000000000"
    for method in ("GetOrder", "GetOrderStatus"):
        got = w.refusal("OrderService", method, getattr(svc, method + "Request")(order_id=nobody))
        assert got[0] == "NOT_FOUND", got
    assert "order_id" in w.refusal("OrderService", "GetOrder", svc.GetOrderRequest(order_id="7"))[3]


def list__pages_newest_first_without_gaps(w):
    svc = w.pb["order_service"]
    mine = [w.place(customer="lister").order_id for _ in range(7)]
    seen, token = [], ""
    while True:
        page = w.call("OrderService", "ListOrders", svc.ListOrdersRequest(customer="lister", page_size=3, page_token=token))
        seen += [o.order_id for o in page.orders]
        token = page.next_page_token
        if not token:
            break
    assert seen == mine[::-1]
    first = w.call("OrderService", "ListOrders", svc.ListOrdersRequest(customer="lister", page_size=3))
    got = w.refusal("OrderService", "ListOrders", svc.ListOrdersRequest(customer="other", page_token=first.next_page_token))
    assert "page_token" in got[3]


def order_of_five_thousand_lines__is_one_order(w):
    w.receive("BER1", bulk=5000)
    order = w.place(lines=[("bulk", 1)] * 5000)
    assert len(order.lines) == 5000 and order.total.amount_minor == 5000 * 100
    w.until(lambda: w.state(order.order_id) == "completed", "delivery")
    got = w.get(order.order_id).order
    assert [l.line for l in got.lines] == list(range(1, 5001)) and all(l.quantities.delivered == 1 for l in got.lines)


def stock__is_received_counted_and_taken_off_sale(w):
    inv = w.pb["inventory_service"]

    def available():
        a = w.call("InventoryService", "GetAvailability", inv.GetAvailabilityRequest(skus=["bulk"]))
        return a.items[0].available

    def adjust(delta, kind, request=None):
        return w.call("InventoryService", "AdjustStock", inv.AdjustStockRequest(
            request_id=request or str(uuid.uuid4()), location="BER1", sku="bulk", kind=kind, delta=delta, reason="counted"))

    start, request = available(), str(uuid.uuid4())
    w.receive("BER1", request_id=request, bulk=10)
    w.receive("BER1", request_id=request, bulk=10)
    assert available() == start + 10
    adjust(-3, 1)
    adjust(4, 2)
    assert available() == start + 3
    adjust(-4, 2)
    assert available() == start + 7
    got = w.refusal("InventoryService", "AdjustStock", inv.AdjustStockRequest(
        request_id=str(uuid.uuid4()), location="BER1", sku="bulk", kind=1, delta=-10**6, reason="gone"))
    assert got[:2] == ("FAILED_PRECONDITION", "OUT_OF_STOCK"), got
    got = w.refusal("InventoryService", "ReceiveStock", inv.ReceiveStockRequest(
        request_id=str(uuid.uuid4()), location="NOWHERE", lines=[inv.StockLine(sku="bulk", quantity=1)]))
    assert "location" in got[3], got


def goods_in_plenty__are_ordered_without_asking_redis_and_scarce_ones_are_held(w):
    def asked():
        with urllib.request.urlopen("http://%s/metrics" % w.env["HTTP"], timeout=10) as page:
            return sum(int(n) for n in re.findall(r'^orderd_hold_asked_total{.*} (\d+)$', page.read().decode(), re.M))

    w.receive("BER1", bulk=10**6)
    before = asked()
    w.place(lines=[("bulk", 1)])
    assert asked() == before
    w.place(lines=[("bulk", 1), ("mug", 1)])
    assert asked() == before + 1


def at_the_end__the_books_are_right(w):
    w.until(lambda: w.number("SELECT count(*) FROM orders WHERE state IN ('pending', 'confirmed', 'cancelling')") == 0, "the end")
    w.audit()


run(order__is_carried_to_the_door, order_over_two_locations__is_two_parcels_and_two_payments,
    declined_payment__rejects_the_order_and_frees_its_stock, cancelled_while_being_paid__money_is_let_go,
    cancelled_again_with_its_request_id__is_the_same_answer, delivered_order__can_not_be_cancelled,
    cancel_of_an_older_version__is_refused, replayed_request__answers_the_order_as_it_is_now,
    order_without_stock__is_refused_and_its_request_id_free_again, expected_total__guards_the_price,
    validate_only__stores_nothing, bad_input__names_the_field_and_stores_nothing, text_that_is_no_text__is_refused_by_field,
    unknown_order__is_not_found, list__pages_newest_first_without_gaps, order_of_five_thousand_lines__is_one_order, stock__is_received_counted_and_taken_off_sale,
    goods_in_plenty__are_ordered_without_asking_redis_and_scarce_ones_are_held,
    at_the_end__the_books_are_right)
