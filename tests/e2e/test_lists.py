"""BatchGetOrders and ListStockMovements: what they answer, page by page, and every way of asking for it wrongly."""
import uuid

from world import run

NOBODY = "01890000-0000-7000-8000-000000000000"


def batch(w, *order_ids):
    return w.call("OrderService", "BatchGetOrders", w.pb["order_service"].BatchGetOrdersRequest(order_ids=order_ids))


def many_orders__are_answered_in_the_order_asked_as_each_alone(w):
    placed = [w.place(lines=[("mug", n % 3 + 1)] + [("lamp", 1)] * (n % 2)).order_id for n in range(30)]
    two_parcels = w.place(lines=[("lamp", 60)]).order_id
    for order in placed + [two_parcels]:
        w.until(lambda: w.state(order) == "completed", "delivery")
    asked = [two_parcels] + placed[::-1]
    answer = batch(w, *asked)
    assert [o.order_id for o in answer.orders] == asked and list(answer.not_found) == []
    assert list(answer.orders) == [w.get(order).order for order in asked]
    assert len(answer.orders[0].groups) == 2 and answer.orders[0].ship_to.name == "Ada Example"


def orders_that_are_not_there__are_listed(w):
    first, second = w.place().order_id, w.place().order_id
    for order in first, second:
        w.until(lambda: w.state(order) == "completed", "delivery")
    other = str(uuid.uuid4())
    answer = batch(w, NOBODY, second, other, first, second)
    assert [o.order_id for o in answer.orders] == [second, first, second], "asked twice is answered twice"
    assert list(answer.not_found) == [NOBODY, other]
    assert answer.orders[0] == answer.orders[2] == w.get(second).order and answer.orders[1] == w.get(first).order
    answer = batch(w, NOBODY)
    assert (list(answer.orders), list(answer.not_found)) == ([], [NOBODY])


def hundred_orders__are_one_question(w):
    def asked(of):
        return w.number("SELECT coalesce(sum(calls), 0) FROM public.pg_stat_statements WHERE query LIKE '%%%s%%'" % of)

    orders = [w.place().order_id for _ in range(100)]
    before = asked("ORDER BY s.n, s.place, g.line"), asked("ORDER BY l.n, l.place, p.group_no")
    assert [o.order_id for o in batch(w, *orders).orders] == orders
    assert (asked("ORDER BY s.n, s.place, g.line"), asked("ORDER BY l.n, l.place, p.group_no")) == (before[0] + 1, before[1] + 1)
    for order in orders:
        w.until(lambda: w.state(order) == "completed", "delivery")


def more_than_one_call_may_hold__is_said_and_less_is_answered(w):
    w.receive("BER1", bulk=20000)
    orders = [w.call("OrderService", "PlaceOrder", w.order_request(lines=[("bulk", 1)] * 4000), timeout=60).order.order_id
              for _ in range(3)]
    status, reason, _, _ = w.refusal("OrderService", "BatchGetOrders",
                                     w.pb["order_service"].BatchGetOrdersRequest(order_ids=orders), timeout=60)
    assert (status, reason) == ("RESOURCE_EXHAUSTED", "TOO_LARGE"), (status, reason)
    assert [len(o.lines) for o in batch(w, *orders[:2]).orders] == [4000, 4000]
    for order in orders:  # the stories behind this one want a ledger that rests
        w.until(lambda: w.state(order) == "completed", "delivery")


def wrong_batches__name_the_field(w):
    svc = w.pb["order_service"]
    for ids, fields in (((), ["order_ids"]), ((NOBODY,) * 101, ["order_ids"]), (("", NOBODY, "x"), ["order_ids[0]", "order_ids[2]"])):
        status, reason, _, named = w.refusal("OrderService", "BatchGetOrders", svc.BatchGetOrdersRequest(order_ids=ids))
        assert (status, reason, sorted(named)) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", fields), (ids, status, named)


def movements(w, **fields):
    inv = w.pb["inventory_service"]
    return w.call("InventoryService", "ListStockMovements", inv.ListStockMovementsRequest(**fields))


def all_pages(w, size, **filters):
    found, token = [], ""
    while True:
        page = movements(w, page_size=size, page_token=token, **filters)
        assert len(page.movements) <= size
        found += page.movements
        token = page.next_page_token
        if not token:
            return found
        assert len(page.movements) == size


def ledger__tells_what_moved_newest_first(w):
    order = w.place(lines=[("unique", 1)]).order_id
    w.until(lambda: w.state(order) == "completed", "delivery")
    told = list(movements(w, order_id=order).movements)
    assert [(m.from_bucket, m.to_bucket) for m in told] == [
        ("shipped", "delivered"), ("packed", "shipped"), ("picked", "packed"), ("allocated", "picked"),
        ("reserved", "allocated"), ("unassigned", "reserved")], told
    assert all((m.sku, m.location, m.quantity, m.order_id, m.line) == ("unique", "BER1", 1, order, 1) and m.cause for m in told)
    assert told[-1].cause == order and told[0].event_time.seconds > 0, told[-1]
    first = list(movements(w, sku="unique").movements)
    assert first[:-1] == told
    assert (first[-1].from_bucket, first[-1].to_bucket, first[-1].order_id, first[-1].line) == ("outside", "on_hand", "", 0)


def pages__are_the_whole_list_and_no_more(w):
    for filters in (dict(sku="mug"), dict(location="BER1"), dict(sku="lamp", location="MUC1"), dict(location="MUC1")):
        whole = all_pages(w, 200, **filters)
        rows = w.number("SELECT count(*) FROM stock_movement m JOIN item i USING (tenant, item) JOIN location w USING "
                        "(tenant, location) WHERE sku = '%s' AND code = '%s'" % (filters.get("sku"), filters.get("location"))
                        if len(filters) == 2 else
                        "SELECT count(*) FROM stock_movement m JOIN item i USING (tenant, item) JOIN location w USING "
                        "(tenant, location) WHERE '%s' IN (sku, code)" % list(filters.values())[0])
        assert len(whole) == rows > 3, (filters, len(whole), rows)
        assert all_pages(w, 7, **filters) == whole, filters
        times = [(m.event_time.seconds, m.event_time.nanos) for m in whole]
        assert times == sorted(times, reverse=True), filters
        assert all(m.sku == filters.get("sku", m.sku) and m.location == filters.get("location", m.location) for m in whole)
    assert list(movements(w, sku="no such").movements) == []


def wrong_lists__name_the_field(w):
    inv = w.pb["inventory_service"]
    token = movements(w, sku="mug", page_size=1).next_page_token
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    orders = w.call("OrderService", "ListOrders", w.pb["order_service"].ListOrdersRequest(page_size=1)).next_page_token
    assert token and orders
    for fields, named in (
            (dict(), "sku"), (dict(sku="x" * 65), "sku"), (dict(location="x" * 33), "location"), (dict(order_id="x"), "order_id"),
            (dict(sku="mug", page_size=-1), "page_size"), (dict(sku="mug", page_size=201), "page_size"),
            (dict(sku="mug", page_token="x"), "page_token"), (dict(sku="mug", page_token=forged), "page_token"),
            (dict(sku="lamp", page_token=token), "page_token"), (dict(sku="mug", location="BER1", page_token=token), "page_token"),
            (dict(sku="mug", page_token=orders), "page_token"), (dict(sku="mug", page_token="0" * 5000), "page_token")):
        status, _, _, fields_named = w.refusal("InventoryService", "ListStockMovements", inv.ListStockMovementsRequest(**fields))
        assert (status, list(fields_named)) == ("INVALID_ARGUMENT", [named]), (fields, status, fields_named)


run(many_orders__are_answered_in_the_order_asked_as_each_alone, orders_that_are_not_there__are_listed,
    hundred_orders__are_one_question, more_than_one_call_may_hold__is_said_and_less_is_answered,
    wrong_batches__name_the_field, ledger__tells_what_moved_newest_first,
    pages__are_the_whole_list_and_no_more, wrong_lists__name_the_field)
