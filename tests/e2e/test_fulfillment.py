"""The work of locations: picks and packs that people confirm, goods that are not on the shelf, and their money."""
import concurrent.futures
import uuid

import grpc
from world import details_of, run

# An order that waits is woken by the goods: by itself it would come too late for any test.
CONFIG = """
resource_retry_s = 3600
"""


def furnish(w):
    """HALL is a manual location with goods no other has, or that BER1 and MUC1 have as well."""
    inv, money, place = w.pb["inventory_service"], w.pb["money"], w.pb["place"]
    answer = w.call("InventoryService", "CreateLocation", inv.CreateLocationRequest(location=inv.Location(
        code="HALL", priority=1, fulfillment_mode=inv.FULFILLMENT_MODE_MANUAL,
        address=place.Address(name="HALL", street="Hafenweg 2", city="Berlin", postal_code="10115", country_code="DE"))))
    assert answer.location.fulfillment_mode == inv.FULFILLMENT_MODE_MANUAL
    w.call("InventoryService", "UpsertItems", inv.UpsertItemsRequest(items=[
        inv.Item(sku=sku, title="A " + sku, unit_price=money.Money(currency_code="EUR", amount_minor=price), weight_grams=100)
        for sku, price in (("vase", 1999), ("bowl", 700))]))
    w.receive("HALL", vase=100, bowl=100)


def work(w, order_id=None, **filters):
    svc = w.pb["fulfillment_service"]
    return list(w.call("FulfillmentService", "ListFulfillmentOrders", svc.ListFulfillmentOrdersRequest(
        order_id=order_id, **filters)).fulfillment_orders)


def open_work(w, **lines):
    """A confirmed order at HALL and its fulfilment order."""
    order = w.place(lines=list(lines.items()))
    w.until(lambda: w.state(order.order_id) == "confirmed", "payment")
    only, = work(w, order.order_id)
    return order, only


def pick_request(w, fo, counts=(), site="hall", report=None):
    svc = w.pb["fulfillment_service"]
    return svc.ConfirmPickRequest(fulfillment_order_id=fo, site=site, report_id=report or str(uuid.uuid4()),
                                  lines=[svc.PickedLine(line=n, quantity=q) for n, q in counts])


def pick(w, fo, *counts):
    return w.call("FulfillmentService", "ConfirmPick", pick_request(w, fo, counts)).fulfillment_order


def pack(w, fo, report=None, **fields):
    svc = w.pb["fulfillment_service"]
    packed = w.call("FulfillmentService", "ConfirmPack", svc.ConfirmPackRequest(
        fulfillment_order_id=fo, site="hall", report_id=report or str(uuid.uuid4()), **fields)).fulfillment_order
    w.until(lambda: is_gone(w, packed.shipment_id), "the hand-over")
    return packed


def is_gone(w, shipment):
    """The carrier takes it, as soon as it may leave."""
    svc = w.pb["shipping_service"]
    try:
        w.call("ShippingService", "ConfirmHandover", svc.ConfirmHandoverRequest(site="dock", report_id=shipment,
                                                                                shipment_ids=[shipment]))
        return True
    except grpc.RpcError as e:
        assert details_of(e)[0] in ("NOT_PAID", "LABEL_NOT_BOUGHT"), e
        return False


def delivered(w, order_id):
    w.until(lambda: w.state(order_id) == "completed", "delivery")


def taken(w, order_id):
    return sum(c["amount"] for c in w.charges("capture", order_id))


def states(w):
    return w.pb["fulfillment_service"].FulfillmentOrderState


def manual_location__waits_for_its_people_and_then_delivers(w):
    furnish(w)
    order, fo = open_work(w, vase=2, bowl=1)
    assert fo.state == states(w).Value("FULFILLMENT_ORDER_STATE_OPEN") and fo.location == "HALL"
    assert fo.ship_to.name == "Ada Example" and fo.order_number == order.order_number and fo.ship_service == "cheapest"
    assert [(l.line, l.sku, l.quantity, l.picked) for l in fo.lines] == [(1, "vase", 2, 0), (2, "bowl", 1, 0)]
    assert w.get(order.order_id).order.groups[0].fulfillment_order_id == fo.fulfillment_order_id
    picked = pick(w, fo.fulfillment_order_id)
    assert picked.state == states(w).Value("FULFILLMENT_ORDER_STATE_PICKED")
    assert [l.picked for l in picked.lines] == [2, 1]
    packed = pack(w, fo.fulfillment_order_id, weight_grams=1234)
    assert packed.state == states(w).Value("FULFILLMENT_ORDER_STATE_PACKED") and packed.shipment_id
    delivered(w, order.order_id)
    assert work(w, order.order_id)[0].state == states(w).Value("FULFILLMENT_ORDER_STATE_CLOSED")
    assert taken(w, order.order_id) == order.total.amount_minor
    row, = w.sql("SELECT weight_g, sscc FROM shipment WHERE order_id = '%s'" % order.order_id)
    assert row[0] == "1234" and row[1].startswith("09520000"), row


def short_pick__is_sent_from_elsewhere_and_paid_to_the_cent(w):
    w.receive("MUC1", vase=10)
    order, fo = open_work(w, vase=5, bowl=2)
    short = pick(w, fo.fulfillment_order_id, (1, 2))
    assert [(l.line, l.quantity, l.picked) for l in short.lines] == [(1, 2, 2), (2, 2, 2)]
    w.until(lambda: len(w.get(order.order_id).order.groups) == 2, "a second parcel")
    pack(w, fo.fulfillment_order_id)
    delivered(w, order.order_id)
    got = w.get(order.order_id, with_events=True)
    assert [(g.location, g.amount.amount_minor) for g in got.order.groups] == [("HALL", 2 * 1999 + 2 * 700), ("MUC1", 3 * 1999)]
    assert [l.quantities.delivered for l in got.order.lines] == [5, 2]
    assert len({g.tracking_code for g in got.order.groups}) == 2
    assert taken(w, order.order_id) == order.total.amount_minor == 5 * 1999 + 2 * 700
    kinds = [e.kind for e in got.events]
    assert "pick_short" in kinds and "resourced" in kinds and "delayed" not in kinds
    unavailable = w.number("SELECT unavailable FROM stock JOIN item USING (tenant, item) JOIN location USING (tenant, location) "
                           "WHERE sku = 'vase' AND code = 'HALL'")
    assert unavailable == 3
    inv = w.pb["inventory_service"]  # somebody has counted: they are gone
    for kind in (inv.ADJUSTMENT_KIND_UNAVAILABLE, inv.ADJUSTMENT_KIND_COUNT):
        w.call("InventoryService", "AdjustStock", inv.AdjustStockRequest(
            request_id=str(uuid.uuid4()), location="HALL", sku="vase", kind=kind, delta=-3, reason="counted"))


def short_pick_without_stock__is_held_until_goods_come(w):
    order, fo = open_work(w, bowl=4)
    on_hand = w.number("SELECT on_hand FROM stock JOIN item USING (tenant, item) WHERE sku = 'bowl'")
    inv = w.pb["inventory_service"]
    w.call("InventoryService", "AdjustStock", inv.AdjustStockRequest(
        request_id=str(uuid.uuid4()), location="HALL", sku="bowl", kind=inv.ADJUSTMENT_KIND_COUNT, delta=4 - on_hand,
        reason="broken"))
    pick(w, fo.fulfillment_order_id, (1, 1))
    w.until(lambda: w.get(order.order_id).order.holds, "the hold")
    got = w.get(order.order_id, with_events=True)
    hold, = got.order.holds
    assert (hold.reason, hold.group, hold.detail) == ("inventory", 0, "units missing: 3")
    assert [e.kind for e in got.events].count("delayed") == 1
    assert w.pb["order"].FulfillmentState.Name(got.order.fulfillment_state) == "FULFILLMENT_STATE_BACKORDERED"
    assert list(work(w, order.order_id)[0].holds) == ["inventory"]
    pack(w, fo.fulfillment_order_id)
    w.until(lambda: w.get(order.order_id).order.groups[0].shipment_state == "delivered", "the first parcel")
    assert w.state(order.order_id) == "confirmed"
    w.receive("BER1", bowl=3)
    delivered(w, order.order_id)
    got = w.get(order.order_id, with_events=True)
    assert list(got.order.holds) == [] and [e.kind for e in got.events].count("delayed") == 1
    assert taken(w, order.order_id) == order.total.amount_minor


def nothing_on_the_shelf__ends_the_parcel_and_its_money_is_let_go(w):
    w.receive("BER1", vase=3)
    order, fo = open_work(w, vase=3)
    gone = pick(w, fo.fulfillment_order_id, (1, 0))
    assert gone.state == states(w).Value("FULFILLMENT_ORDER_STATE_CANCELLED")
    delivered(w, order.order_id)
    assert taken(w, order.order_id) == order.total.amount_minor
    assert len(w.charges("cancel", order.order_id)) == 1 and len(w.charges("authorize", order.order_id)) == 2


def reports__are_remembered_by_site_and_id(w):
    order, fo = open_work(w, vase=3)
    report = pick_request(w, fo.fulfillment_order_id, [(1, 2)], report="r-1")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: w.call("FulfillmentService", "ConfirmPick", report).fulfillment_order, range(16)))
    assert {(a.fulfillment_order_id, a.lines[0].picked) for a in answers} == {(fo.fulfillment_order_id, 2)}
    w.call("FulfillmentService", "ConfirmPick", report)
    other = pick_request(w, fo.fulfillment_order_id, [(1, 1)], report="r-1")
    assert w.refusal("FulfillmentService", "ConfirmPick", other)[:2] == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    other.site = "another hall"
    got = w.refusal("FulfillmentService", "ConfirmPick", other)
    assert got[:3] == ("FAILED_PRECONDITION", "NOT_PICKABLE", {"state": "picked"}), got
    assert w.number("SELECT count(*) FROM order_event WHERE order_id = '%s' AND kind = 'pick_short'" % order.order_id) == 1
    pack(w, fo.fulfillment_order_id, report="r-1")
    assert pack(w, fo.fulfillment_order_id, report="r-1").shipment_id
    svc = w.pb["fulfillment_service"]
    late = svc.ConfirmPackRequest(fulfillment_order_id=fo.fulfillment_order_id, site="hall", report_id="r-2")
    assert w.refusal("FulfillmentService", "ConfirmPack", late)[:2] == ("FAILED_PRECONDITION", "NOT_PACKABLE")
    delivered(w, order.order_id)


def two_sites_at_once__one_of_them_is_too_late(w):
    order, fo = open_work(w, vase=3)
    requests = [pick_request(w, fo.fulfillment_order_id, [(1, 3 - n % 2)], site="site-%d" % n) for n in range(8)]

    def confirm(rq):
        try:
            w.call("FulfillmentService", "ConfirmPick", rq)
            return "picked"
        except grpc.RpcError as e:
            return details_of(e)[0]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(confirm, requests))
    assert sorted(answers) == ["NOT_PICKABLE"] * 7 + ["picked"], answers
    pack(w, fo.fulfillment_order_id)
    delivered(w, order.order_id)


def bad_reports__are_told_which_field_is_wrong(w):
    w.receive("HALL", bowl=1)
    order, fo = open_work(w, vase=3, bowl=1)
    svc = w.pb["fulfillment_service"]
    got = w.refusal("FulfillmentService", "ConfirmPick", svc.ConfirmPickRequest())
    assert got[0] == "INVALID_ARGUMENT" and set(got[3]) == {"fulfillment_order_id", "site", "report_id"}, got
    for counts, field in (([(1, 4)], "lines[0].quantity"), ([(1, -1)], "lines[0].quantity"), ([(3, 0)], "lines[0].line"),
                          ([(2, 1), (2, 0)], "lines[1].line")):
        got = w.refusal("FulfillmentService", "ConfirmPick", pick_request(w, fo.fulfillment_order_id, counts))
        assert got[0] == "INVALID_ARGUMENT" and list(got[3]) == [field], (counts, got)
    for site in ("a/b", "x" * 33):
        got = w.refusal("FulfillmentService", "ConfirmPick", pick_request(w, fo.fulfillment_order_id, site=site))
        assert list(got[3]) == ["site"], got
    got = w.refusal("FulfillmentService", "ConfirmPack", svc.ConfirmPackRequest(
        fulfillment_order_id=fo.fulfillment_order_id, site="hall", report_id="w", weight_grams=-1))
    assert list(got[3]) == ["weight_grams"], got
    assert w.refusal("FulfillmentService", "ConfirmPick", pick_request(w, order.order_id))[:2] == ("NOT_FOUND", "NOT_FOUND")
    assert w.refusal("FulfillmentService", "ConfirmPack", svc.ConfirmPackRequest(
        fulfillment_order_id=fo.fulfillment_order_id, site="hall", report_id="w"))[1] == "NOT_PACKABLE"
    for rq, field in ((dict(page_size=-1), "page_size"), (dict(page_token="x"), "page_token"), (dict(order_id="x"), "order_id"),
                      (dict(location="x" * 33), "location")):
        got = w.refusal("FulfillmentService", "ListFulfillmentOrders", svc.ListFulfillmentOrdersRequest(**rq))
        assert (got[0], list(got[3])) == ("INVALID_ARGUMENT", [field]), got
    w.cancel(order.order_id)
    got = w.refusal("FulfillmentService", "ConfirmPick", pick_request(w, fo.fulfillment_order_id))
    assert got[:3] == ("FAILED_PRECONDITION", "NOT_PICKABLE", {"state": "cancelled"}), got


def lists__are_paged_and_filtered(w):
    svc = w.pb["fulfillment_service"]
    made = [open_work(w, vase=1)[1].fulfillment_order_id for _ in range(5)]
    opened = states(w).Value("FULFILLMENT_ORDER_STATE_OPEN")
    rq, seen = svc.ListFulfillmentOrdersRequest(location="HALL", state=opened, page_size=2), []
    while True:
        page = w.call("FulfillmentService", "ListFulfillmentOrders", rq)
        assert len(page.fulfillment_orders) <= 2
        seen += [f.fulfillment_order_id for f in page.fulfillment_orders]
        if not page.next_page_token:
            break
        rq.page_token = page.next_page_token
    assert seen == made, (seen, made)
    rq.page_token = ""
    rq.page_token = w.call("FulfillmentService", "ListFulfillmentOrders", rq).next_page_token
    rq.location = "BER1"  # another list
    assert list(w.refusal("FulfillmentService", "ListFulfillmentOrders", rq)[3]) == ["page_token"]
    assert work(w, location="HALL", state=opened, page_size=200)[0].fulfillment_order_id == made[0]
    assert {f.location for f in work(w, location="BER1", page_size=200)} <= {"BER1"}
    for fo in made:
        pick(w, fo)
        pack(w, fo)


def everything_killed_in_between__nothing_is_lost_or_told_twice(w):
    w.receive("BER1", vase=20)
    orders = [open_work(w, vase=2) for _ in range(4)]
    requests = [pick_request(w, fo.fulfillment_order_id, [(1, n % 3)]) for n, (_, fo) in enumerate(orders)]
    for n, rq in enumerate(requests):
        answer = w.channel.unary_unary("/orderd.v1.FulfillmentService/ConfirmPick", lambda r: r.SerializeToString(),
                                       w.pb["fulfillment_service"].ConfirmPickResponse.FromString).future(rq, timeout=20)
        w.kill("orderd" if n % 2 == 0 else "worker")
        answer.exception()  # whatever it was: the report is told again
        w.again("orderd" if n % 2 == 0 else "worker")
        told = w.call("FulfillmentService", "ConfirmPick", rq).fulfillment_order
        assert told.fulfillment_order_id == rq.fulfillment_order_id
    for n, (_, fo) in enumerate(orders):
        if n % 3 > 0:
            pack(w, fo.fulfillment_order_id)
    for n, (order, _) in enumerate(orders):
        delivered(w, order.order_id)
        assert taken(w, order.order_id) == order.total.amount_minor, n
        kinds = [e.kind for e in w.get(order.order_id, with_events=True).events]
        assert kinds.count("pick_short") + kinds.count("picked") == (1 if n % 3 == 2 else 2), kinds


def at_the_end__the_books_are_right(w):
    w.until(lambda: w.number("SELECT count(*) FROM orders WHERE state IN ('pending', 'cancelling')") == 0, "the end")
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind <> 'fulfillment.resource'") == 0,
            "the end of the work")
    w.audit()
    held = {c["payment_intent"] for c in w.charges("authorize")}
    ended = {c["payment_intent"] for c in w.charges("capture")} | {c["payment_intent"] for c in w.charges("cancel")}
    assert held == ended, held ^ ended


run(manual_location__waits_for_its_people_and_then_delivers, short_pick__is_sent_from_elsewhere_and_paid_to_the_cent,
    short_pick_without_stock__is_held_until_goods_come, nothing_on_the_shelf__ends_the_parcel_and_its_money_is_let_go,
    reports__are_remembered_by_site_and_id, two_sites_at_once__one_of_them_is_too_late,
    bad_reports__are_told_which_field_is_wrong, lists__are_paged_and_filtered,
    everything_killed_in_between__nothing_is_lost_or_told_twice, at_the_end__the_books_are_right, config=CONFIG)
