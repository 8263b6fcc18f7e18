"""A parcel from its offers to its end: chosen, bought once, given back, handed over, tracked, sent back.

The carrier of this world scans nothing by itself, and its places are manual: what happens to a parcel is said here.
"""
import base64
import json
import time
import urllib.request
import uuid

from world import run

HOUR_S = 3600
ALWAYS = 1000000
LAST_HOUR_S = int(time.time()) // HOUR_S * HOUR_S - HOUR_S  # the same for every story


# ---- asking

def shipping(w, method, **fields):
    svc = w.pb["shipping_service"]
    return w.call("ShippingService", method, getattr(svc, method + "Request")(**fields))


def refused(w, method, **fields):
    svc = w.pb["shipping_service"]
    return w.refusal("ShippingService", method, getattr(svc, method + "Request")(**fields))


def shipment(w, parcel):
    return shipping(w, "GetShipment", shipment_id=parcel).shipment


def void(w, parcel, request_id=None, **fields):
    return shipping(w, "VoidLabel", shipment_id=parcel, request_id=request_id or str(uuid.uuid4()), **fields).shipment


def hand_over(w, *parcels, site="dock", report_id=None):
    shipping(w, "ConfirmHandover", site=site, report_id=report_id or str(uuid.uuid4()), shipment_ids=parcels)


def scan(w, parcel, status, minute=0, report_id=None, event_time_s=None, **fields):
    """Minutes of an hour that is over."""
    event_time = {"seconds": event_time_s or LAST_HOUR_S + minute * 60}
    return shipping(w, "RecordTrackingEvent", site="shop", report_id=report_id or str(uuid.uuid4()), shipment_id=parcel,
                    status=status, event_time=event_time, **fields).shipment


def kinds(w, order):
    return [e.kind for e in w.get(order, with_events=True).events]


def sim(w, what, **fields):
    urllib.request.urlopen(urllib.request.Request(w.env["SIM_URL"] + "/_sim/" + what, json.dumps(fields).encode(),
                                                  {"Content-Type": "application/json"}), timeout=10).read()


def heal(w):
    """No fault is left: what was to fail until somebody had looked, fails no more."""
    urllib.request.urlopen(urllib.request.Request(w.env["SIM_URL"] + "/_sim/faults", method="DELETE"), timeout=10).read()


# ---- looking, past orderd

def journal(w):
    with urllib.request.urlopen(w.env["SIM_URL"] + "/_sim/journal?part=carrier", timeout=10) as answer:
        return [json.loads(line) for line in answer.read().decode().splitlines()]


def parcel_of(w, parcel):
    """The carrier's id of it."""
    return w.sql("SELECT remote_id FROM shipment WHERE id = '%s'" % parcel)[0][0]


def carrier(w, path):
    login = base64.b64encode(b"look:").decode()
    with urllib.request.urlopen(urllib.request.Request(w.env["SIM_URL"] + "/v2" + path,
                                                       headers={"Authorization": "Basic " + login}), timeout=10) as answer:
        return json.load(answer)


def of(w, kind, parcel):
    """The carrier's own lines about a parcel, whichever of its labels it was."""
    return [x for x in w.charges(kind) if x["reference"] in (parcel, *(parcel + "-%d" % n for n in range(2, 9)))]


def one_live_label(w, parcel, bought=1):
    """The carrier's journal and the database agree: so many were bought, and all but one taken back."""
    labels, refunds = of(w, "label", parcel), of(w, "label_refund", parcel)
    live = {x["tracking_code"] for x in labels} - {x["tracking_code"] for x in refunds}
    assert (len(labels), len(refunds), len(live)) == (bought, bought - 1, 1), (labels, refunds)
    rows = w.sql("SELECT tracking_code FROM shipment_label WHERE shipment_id = '%s' AND voided_at IS NULL" % parcel)
    assert rows == [(code,) for code in live] and shipment(w, parcel).tracking_code in live, (rows, live)


def pumped(w):
    """Nobody picks and packs here: what waits for that goes on."""
    w.sql("UPDATE job SET state = 'ready' WHERE state = 'parked' AND kind LIKE 'fulfillment.%'")
    return True


def packed(w, order):
    """The parcel's id, once there is one."""
    found = []
    w.until(lambda: pumped(w) and found.extend(w.sql("SELECT id FROM shipment WHERE order_id = '%s'" % order)) or found, "a parcel")
    return found[0][0]


def state(w, parcel):
    return w.sql("SELECT state FROM shipment WHERE id = '%s'" % parcel)[0][0]


def waits(w, parcel):
    """Labelled, paid, and waiting for the carrier."""
    return w.number("SELECT count(*) FROM job j JOIN shipment s ON (s.order_id, s.group_no) = (j.order_id, j.group_no) "
                    "WHERE s.id = '%s' AND s.state = 'labelled' AND j.kind = 'shipping.handover' AND j.state = 'parked'" % parcel) == 1


def ready_to_go(w, **fields):
    order = w.place(**fields).order_id
    parcel = packed(w, order)
    w.until(lambda: waits(w, parcel), "a label that is paid for")
    return order, parcel


def gone(w, **fields):
    order, parcel = ready_to_go(w, **fields)
    hand_over(w, parcel)
    w.until(lambda: state(w, parcel) == "handed_over", "the hand-over")
    return order, parcel


# ---- offers

def the_order_chooses_the_service(w):
    for wanted, bought, price in (("", "GroundAdvantage", 546), ("cheapest", "GroundAdvantage", 546), ("fastest", "Express", 2935),
                                  ("priority", "Priority", 939)):
        order, parcel = ready_to_go(w, ship_service=wanted)
        s = shipment(w, parcel)
        assert (s.service, s.carrier, s.rate.amount_minor, s.rate.currency_code) == (bought, "USPS", price, "USD"), s
        assert [(r.service, r.delivery_days, r.chosen) for r in s.rates] == [
            (name, days, name == bought) for name, days in (("GroundAdvantage", 5), ("Ground", 3), ("Priority", 2), ("Express", 1))], s.rates
        assert (s.order_id, s.group, s.leg, s.state) == (order, 1, 1, "labelled"), s
        assert [(x.tracking_code, x.HasField("voided_time")) for x in s.labels] == [(s.tracking_code, False)], s.labels
        one_live_label(w, parcel)


def a_service_nobody_offers_waits_for_a_person(w):
    order = w.place(ship_service="Balloon").order_id
    parcel = packed(w, order)
    w.until(lambda: "shipping_held" in kinds(w, order), "the hold")
    rows = w.sql("SELECT reason, detail, released_at FROM order_hold WHERE order_id = '%s'" % order)
    assert rows == [("shipping", "none of 4 offers is what the order asks for: Balloon", "")], rows
    assert w.sql("SELECT state, attempts FROM job WHERE order_id = '%s' AND kind = 'shipping.label'" % order) == [("ready", "0")]
    assert of(w, "label", parcel) == []
    w.sql("UPDATE orders SET ship_service = 'Express' WHERE id = '%s'" % order)
    w.sql("UPDATE job SET run_at = now() WHERE order_id = '%s' AND kind = 'shipping.label'" % order)
    w.until(lambda: waits(w, parcel), "the label")
    assert w.sql("SELECT released_at IS NOT NULL FROM order_hold WHERE order_id = '%s'" % order) == [("t",)]
    assert shipment(w, parcel).service == "Express"
    one_live_label(w, parcel)


def an_offer_that_expired_is_asked_for_anew(w):
    w.fault(path="/v2/shipments/*/buy", fault="drop_before", count=ALWAYS)
    order = w.place(ship_service="Priority").order_id
    parcel = packed(w, order)
    w.until(lambda: state(w, parcel) == "label_intent", "the offers")
    sim(w, "clock", advance_s=2 * HOUR_S)  # a rate is good for one
    heal(w)
    w.until(lambda: waits(w, parcel), "the label")
    assert shipment(w, parcel).service == "Priority"
    one_live_label(w, parcel)
    asked = [x["path"] for x in journal(w) if parcel_of(w, parcel) in x["path"]]
    assert [p.rsplit("/", 1)[1] for p in asked if p.endswith(("/buy", "/rerate"))][-3:] == ["buy", "rerate", "buy"], asked


# ---- given back

def a_label_is_given_back_and_another_one_bought_and_paid_for_once(w):
    order, parcel = ready_to_go(w)
    first, request = shipment(w, parcel).tracking_code, str(uuid.uuid4())
    assert void(w, parcel, request, reason="torn").state == "voiding"
    w.until(lambda: state(w, parcel) == "labelled", "another label")
    s = shipment(w, parcel)
    assert s.tracking_code != first and [x.HasField("voided_time") for x in s.labels] == [True, False], s
    assert len(s.rates) == 4, s.rates
    assert void(w, parcel, request, reason="torn").tracking_code == s.tracking_code  # asked again: as it is now
    status, reason, _, _ = refused(w, "VoidLabel", shipment_id=parcel, request_id=request, reason="another")
    assert (status, reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED"), (status, reason)
    one_live_label(w, parcel, bought=2)
    assert w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND kind = 'shipping.handover'" % order) == 1
    hand_over(w, parcel)
    w.until(lambda: state(w, parcel) == "handed_over", "the hand-over")
    assert len(w.charges("capture", order)) == 1
    assert [k for k in kinds(w, order) if k.startswith("label")] == ["label_bought", "label_voiding", "label_voided", "label_bought"]
    assert refused(w, "VoidLabel", shipment_id=parcel, request_id="late")[:2] == ("FAILED_PRECONDITION", "NOT_VOIDABLE")


def what_is_asked_wrongly_is_said(w):
    nobody, long = "01890000-0000-7000-8000-000000000000", "x" * 129
    for method, fields, bad in (
            ("GetShipment", {}, {"shipment_id"}), ("GetShipment", {"shipment_id": "7"}, {"shipment_id"}),
            ("VoidLabel", {"shipment_id": nobody}, {"request_id"}),
            ("VoidLabel", {"shipment_id": nobody, "request_id": long, "reason": "x" * 201}, {"request_id", "reason"}),
            ("ConfirmHandover", {}, {"site", "report_id", "shipment_ids"}),
            ("ConfirmHandover", {"site": "d", "report_id": "r", "shipment_ids": [nobody, nobody, "x"]},
             {"shipment_ids[1]", "shipment_ids[2]"}),
            ("ConfirmHandover", {"site": "d", "report_id": "r", "shipment_ids": [str(uuid.uuid4()) for _ in range(201)]},
             {"shipment_ids"}),
            ("RecordTrackingEvent", {}, {"site", "report_id", "shipment_id", "status", "event_time"}),
            ("RecordTrackingEvent", {"site": "s" * 33, "report_id": "r", "shipment_id": nobody, "status": "teleported",
                                     "detail": "x" * 65, "event_time": {"seconds": int(time.time()) + HOUR_S}},
             {"site", "status", "detail", "event_time"}),
            ("RecordTrackingEvent", {"site": "s", "report_id": "r", "shipment_id": nobody, "status": "delivered",
                                     "event_time": {"seconds": -1}}, {"event_time"})):
        status, reason, _, found = refused(w, method, **fields)
        assert (status, reason, set(found)) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", bad), (method, fields, status, found)
    for method, fields in (("GetShipment", {}), ("VoidLabel", {"request_id": "r"}),
                           ("RecordTrackingEvent", {"site": "s", "report_id": "r", "status": "delivered",
                                                    "event_time": {"seconds": 1}})):
        assert refused(w, method, shipment_id=nobody, **fields)[:2] == ("NOT_FOUND", "NOT_FOUND"), method
    assert refused(w, "ConfirmHandover", site="d", report_id="r", shipment_ids=[nobody])[:2] == ("NOT_FOUND", "NOT_FOUND")


# ---- handed over

def a_parcel_leaves_paid_and_when_somebody_saw_it_leave(w):
    w.fault(path="/v1/payment_intents/*/capture", fault="drop_before", count=ALWAYS)
    order = w.place().order_id
    parcel = packed(w, order)
    w.until(lambda: state(w, parcel) == "labelled", "the label")
    status, reason, facts, _ = refused(w, "ConfirmHandover", site="dock", report_id="early", shipment_ids=[parcel])
    assert (status, reason, facts["shipment_id"]) == ("FAILED_PRECONDITION", "NOT_PAID", parcel), (status, reason)
    heal(w)
    w.until(lambda: waits(w, parcel), "the money")
    _, other = ready_to_go(w)
    hand_over(w, parcel, other, report_id="truck 1")
    w.until(lambda: state(w, parcel) == state(w, other) == "handed_over", "both hand-overs")
    hand_over(w, parcel, other, report_id="truck 1")  # told twice
    hand_over(w, other, report_id="truck 2")  # and by another scanner
    assert refused(w, "ConfirmHandover", site="dock", report_id="truck 1", shipment_ids=[other])[1] == "REQUEST_ID_REUSED"
    hand_over(w, other, site="gate", report_id="truck 1")  # another site's number
    assert kinds(w, order).count("shipped") == 1


def the_carriers_scan_is_a_hand_over_too(w):
    order, parcel = ready_to_go(w)
    assert scan(w, parcel, "pre_transit").state == "labelled"
    assert waits(w, parcel)
    scan(w, parcel, "picked_up", minute=1)
    w.until(lambda: state(w, parcel) == "handed_over", "the hand-over")
    assert shipment(w, parcel).tracking_state == "in_transit"
    assert refused(w, "VoidLabel", shipment_id=parcel, request_id=str(uuid.uuid4()))[1] == "NOT_VOIDABLE"


# ---- tracked

def scans_may_come_late_twice_and_in_any_order(w):
    order, parcel = gone(w)
    assert scan(w, parcel, "out_for_delivery", minute=30, report_id="van").tracking_state == "out_for_delivery"
    s = scan(w, parcel, "in_transit", minute=40, detail="arrived_at_facility", city="Kiel")
    assert (s.tracking_state, s.exception, s.state) == ("out_for_delivery", "", "handed_over"), s
    scan(w, parcel, "out_for_delivery", minute=30, report_id="van")
    assert refused(w, "RecordTrackingEvent", site="shop", report_id="van", shipment_id=parcel, status="delivered",
                   event_time={"seconds": 5})[1] == "REQUEST_ID_REUSED"
    assert scan(w, parcel, "failure", minute=41, detail="delivery_exception").exception == "delivery_exception"
    assert w.get(order).order.groups[0].exception == "delivery_exception"
    assert scan(w, parcel, "failure", minute=35, detail="damaged").exception == "delivery_exception"  # older than that
    assert scan(w, parcel, "in_transit", minute=42).exception == ""
    assert scan(w, parcel, "delivered", minute=50).state == "delivered"
    w.until(lambda: w.state(order) == "completed", "the end")
    assert scan(w, parcel, "in_transit", minute=55).tracking_state == "delivered"
    s = shipment(w, parcel)
    told = [(x.status, x.source) for x in s.scans]
    assert told.count(("out_for_delivery", "report")) == 1 and ("delivered", "report") in told, told
    assert [x.event_time.seconds for x in s.scans] == sorted(x.event_time.seconds for x in s.scans)
    assert [k for k in kinds(w, order) if k in ("tracking_exception", "delivered", "completed")] == [
        "tracking_exception", "delivered", "completed"], kinds(w, order)
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND state <> 'done'" % order) == 0, "rest")


def a_parcel_that_comes_back_is_held_for_a_person(w):
    order, parcel = gone(w)
    scan(w, parcel, "out_for_delivery", minute=10)
    s = scan(w, parcel, "return_to_sender", minute=20, detail="refused")
    assert (s.leg, s.exception, s.state, s.tracking_state) == (2, "refused", "handed_over", "return_to_sender"), s
    assert scan(w, parcel, "out_for_delivery", minute=15).tracking_state == "return_to_sender"  # of the leg before
    assert scan(w, parcel, "in_transit", minute=30).tracking_state == "in_transit"
    assert scan(w, parcel, "delivered", minute=40).state == "returned"
    o = w.get(order).order
    assert o.lines[0].quantities.returned == 1 and w.state(order) == "confirmed", o
    assert w.sql("SELECT reason, released_at FROM order_hold WHERE order_id = '%s'" % order) == [("returned", "")]
    assert [k for k in kinds(w, order) if k.startswith("return")] == ["returned_to_sender", "returned"]
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND state <> 'done'" % order) == 0, "rest")


def a_lost_parcel_is_held_until_it_turns_up(w):
    order, parcel = gone(w)
    assert scan(w, parcel, "failure", minute=50, detail="lost").state == "lost"
    assert w.sql("SELECT reason, detail, released_at FROM order_hold WHERE order_id = '%s'" % order) == [("shipping", "lost", "")]
    s = scan(w, parcel, "in_transit", minute=55)
    assert (s.state, s.exception) == ("handed_over", ""), s
    assert w.sql("SELECT released_at IS NOT NULL FROM order_hold WHERE order_id = '%s'" % order) == [("t",)]
    assert scan(w, parcel, "delivered", minute=56).state == "delivered"


def two_who_tell_at_once_are_both_heard(w):
    """Reports race each other and the poll, which comes every 200 ms."""
    import concurrent.futures
    order, parcel = gone(w)
    words = ["in_transit", "out_for_delivery", "in_transit", "available_for_pickup"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: scan(w, parcel, words[n % 4], minute=n), range(24)))
    s = shipment(w, parcel)
    assert len([x for x in s.scans if x.source == "report"]) == 24, s.scans
    assert (s.tracking_state, s.state) == ("available_for_pickup", "handed_over"), s
    assert scan(w, parcel, "delivered", minute=59).state == "delivered"


# ---- killed

def killed_at_every_seam_of_buying__one_label(w):
    def made(parcel):
        return len(carrier(w, "/shipments?reference=" + parcel)["shipments"])
    for path, fault, seam in (
            ("/v2/shipments", "slow", lambda parcel: made(parcel) == 1),  # the carrier has it, we do not know its id
            ("/v2/shipments/*/buy", "drop_before", lambda parcel: state(w, parcel) == "label_intent"),  # nothing is bought
            ("/v2/shipments/*/buy", "slow", lambda parcel: len(of(w, "label", parcel)) == 1),  # bought, not written down
            ("/v1/payment_intents/*/capture", "slow", lambda parcel: state(w, parcel) == "labelled")):  # all is written down
        w.fault(path=path, fault=fault, count=ALWAYS if fault == "drop_before" else 1, ms=2500)
        order = w.place().order_id
        parcel = packed(w, order)
        w.until(lambda: seam(parcel), "the seam of " + path)
        w.kill("worker")
        heal(w)
        w.again("worker")
        w.until(lambda: waits(w, parcel), "the label after " + path)
        assert made(parcel) == 1, path
        one_live_label(w, parcel)
        assert len(w.charges("capture", order)) == 1


def killed_at_every_seam_of_giving_back__one_live_label(w):
    for path, fault, seam in (
            ("/v2/shipments/*/refund", "drop_before", lambda parcel: state(w, parcel) == "voiding"),
            ("/v2/shipments/*/refund", "slow", lambda parcel: len(of(w, "label_refund", parcel)) == 1),
            ("/v2/shipments", "slow", lambda parcel: state(w, parcel) == "planned"),
            ("/v2/shipments/*/buy", "slow", lambda parcel: len(of(w, "label", parcel)) == 2)):
        order, parcel = ready_to_go(w)
        w.fault(path=path, fault=fault, count=ALWAYS if fault == "drop_before" else 1, ms=2500)
        void(w, parcel)
        w.until(lambda: seam(parcel), "the seam of " + path)
        w.kill("worker")
        heal(w)
        w.again("worker")
        w.until(lambda: waits(w, parcel), "the other label after " + path)
        one_live_label(w, parcel, bought=2)
        assert len(w.charges("capture", order)) == 1


def a_label_the_carrier_has_seen_is_not_given_back(w):
    """From here on the carrier scans parcels at once."""
    order, parcel = ready_to_go(w)
    code = shipment(w, parcel).tracking_code
    w.sim_args = "--scan-ms 1"
    w.kill("sim")
    w.again("sim")
    assert void(w, parcel).state == "voiding"
    w.until(lambda: state(w, parcel) == "labelled", "the carrier's no")
    assert "label_void_refused" in kinds(w, order) and shipment(w, parcel).tracking_code == code
    one_live_label(w, parcel)
    hand_over(w, parcel)
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert {x.source for x in shipment(w, parcel).scans} == {"carrier"}


def scripted(w, name, end):
    """The carrier's own scans, polled: the order, the parcel, and the states its events tell."""
    to = w.pb["place"].Address(name=name, street="Ring 1", city="Hamburg", postal_code="20095", country_code="DE")
    order, parcel = gone(w, ship_to=to)
    w.until(lambda: state(w, parcel) == end, "%s of %s" % (end, name))
    return order, parcel, [(e.kind, e.detail) for e in w.get(order, with_events=True).events
                           if e.kind.startswith(("track", "deliv", "return", "compl"))]


def the_carriers_own_scans_come_to_the_same(w):
    order, parcel, told = scripted(w, "Sim Returned", "returned")
    assert [k for k, _ in told if k != "tracking"][:1] == ["returned_to_sender"] and told[-1][0] == "returned", told
    assert w.state(order) == "confirmed" and shipment(w, parcel).leg == 2
    order, parcel, told = scripted(w, "Sim Jumbled", "delivered")
    assert [k for k, _ in told].count("delivered") == 1 and told[-1][0] == "completed", told
    order, parcel, told = scripted(w, "Sim Lost", "lost")
    assert told[-1] == ("tracking_exception", "lost"), told
    scan(w, parcel, "delivered", minute=59, event_time_s=int(time.time()))
    w.until(lambda: w.state(order) == "completed", "the end of what was lost")


def at_the_end__the_books_are_right(w):
    assert w.number("SELECT count(*) FROM job WHERE state = 'dead'") == 0
    w.audit()


def everywhere_somebody_sees_parcels_off(w):
    w.sql("UPDATE location SET fulfillment = 'manual'")


run(everywhere_somebody_sees_parcels_off, the_order_chooses_the_service, a_service_nobody_offers_waits_for_a_person,
    an_offer_that_expired_is_asked_for_anew, a_label_is_given_back_and_another_one_bought_and_paid_for_once, what_is_asked_wrongly_is_said,
    a_parcel_leaves_paid_and_when_somebody_saw_it_leave, the_carriers_scan_is_a_hand_over_too,
    scans_may_come_late_twice_and_in_any_order, a_parcel_that_comes_back_is_held_for_a_person,
    a_lost_parcel_is_held_until_it_turns_up, two_who_tell_at_once_are_both_heard, killed_at_every_seam_of_buying__one_label,
    killed_at_every_seam_of_giving_back__one_live_label, a_label_the_carrier_has_seen_is_not_given_back,
    the_carriers_own_scans_come_to_the_same, at_the_end__the_books_are_right, sim_args="--scan-ms 86400000 --rate-life-s 3600")
