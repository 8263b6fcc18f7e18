"""Whatever dies: an acknowledged order is not lost, not charged twice, and goes on."""
import threading

import grpc
from world import PATIENCE_S, details_of, run


def settled(w, order_id):
    w.until(lambda: w.state(order_id) == "completed", "delivery")
    assert len(w.charges("authorize", order_id)) == 1, w.charges("authorize", order_id)
    assert len(w.charges("capture", order_id)) == 1
    assert w.number("SELECT count(*) FROM shipment WHERE order_id = '%s'" % order_id) == 1


def worker_killed_between_charge_and_record__one_charge(w):
    # The gateway acts at once and answers late: the worker dies knowing nothing.
    for path, kind in (("/v1/payment_intents", "authorize"), ("/v1/payment_intents/*/capture", "capture")):
        w.fault(path=path, fault="slow", count=1, ms=2000)
        order = w.place().order_id
        w.until(lambda: len(w.charges(kind, order)) == 1, "the " + kind)
        w.kill("worker")
        w.again("worker")
        settled(w, order)


def worker_killed_while_buying_a_label__one_label(w):
    w.fault(path="/v2/shipments/*/buy", fault="slow", count=1, ms=2000)
    before = len(w.charges("label"))
    order = w.place().order_id
    w.until(lambda: len(w.charges("label")) == before + 1, "the label")
    w.kill("worker")
    w.again("worker")
    settled(w, order)
    assert len(w.charges("label")) == before + 1


def gateway_acts_and_does_not_answer__the_order_is_found_out_and_paid_once(w):
    w.fault(path="/v1/payment_intents", fault="drop_after", count=2)
    w.fault(path="/v1/payment_intents/*/capture", fault="drop_after", count=1)
    w.fault(path="/v2/shipments/*/buy", fault="drop_after", count=1)
    labels = len(w.charges("label"))
    order = w.place().order_id
    settled(w, order)
    assert len(w.charges("label")) == labels + 1
    assert "payment_unknown" in [e.kind for e in w.get(order, with_events=True).events]


def gateway_and_carrier_fail_and_throttle__the_order_arrives(w):
    for fault in ("drop_before", "429", "500"):
        w.fault(path="/v1/payment_intents", fault=fault, count=1)
        w.fault(path="/v2/shipments", fault=fault, count=1)
    settled(w, w.place().order_id)


def redis_flushed_under_way__nothing_is_lost(w):
    orders = []
    for i in range(30):
        orders.append(w.place(customer="flush").order_id)
        if i % 10 == 5:
            w.redis("FLUSHALL")
    for order in orders:
        settled(w, order)


def redis_gone__orders_are_still_taken_and_carried_on(w):
    w.kill("redis")
    order = w.place().order_id
    settled(w, order)
    w.again("redis")
    settled(w, w.place().order_id)


def orderd_killed__what_it_acknowledged_is_there(w):
    acknowledged, stop = [], threading.Event()

    def buy():
        while not stop.is_set():
            try:
                acknowledged.append(w.place(customer="killed").order_id)
            except grpc.RpcError as e:
                assert e.code().name in ("UNAVAILABLE", "CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED"), e

    threads = [threading.Thread(target=buy) for _ in range(8)]
    for t in threads:
        t.start()
    w.until(lambda: len(acknowledged) > 40, "forty orders")
    w.kill("orderd")
    stop.set()
    for t in threads:
        t.join(PATIENCE_S)
    w.again("orderd")
    stored = {row[0] for row in w.sql("SELECT id FROM orders")}
    assert set(acknowledged) <= stored
    assert w.number("SELECT count(*) FROM orders") == w.number("SELECT count(*) FROM request WHERE method = 1")


def postgresql_gone__unavailable_at_once_and_back_again(w):
    w.kill("postgres")
    w.until(lambda: status_of_place(w) == "UNAVAILABLE", "a clear answer")
    w.again("postgres")
    w.until(lambda: status_of_place(w) == "OK", "recovery")


def status_of_place(w):
    try:
        w.call("OrderService", "PlaceOrder", w.order_request(), timeout=5)
        return "OK"
    except grpc.RpcError as e:
        if e.code().name == "UNAVAILABLE":
            assert details_of(e)[0] in ("STORE_UNAVAILABLE", ""), details_of(e)
        return e.code().name


def at_the_end__the_books_are_right(w):
    w.until(lambda: w.number("SELECT count(*) FROM orders WHERE state IN ('pending', 'confirmed', 'cancelling')") == 0, "the end")
    w.audit()
    held = {c["payment_intent"] for c in w.charges("authorize")}
    ended = {c["payment_intent"] for c in w.charges("capture")} | {c["payment_intent"] for c in w.charges("cancel")}
    assert held == ended, held ^ ended


run(worker_killed_between_charge_and_record__one_charge, worker_killed_while_buying_a_label__one_label,
    gateway_acts_and_does_not_answer__the_order_is_found_out_and_paid_once,
    gateway_and_carrier_fail_and_throttle__the_order_arrives, redis_flushed_under_way__nothing_is_lost,
    redis_gone__orders_are_still_taken_and_carried_on, orderd_killed__what_it_acknowledged_is_there,
    postgresql_gone__unavailable_at_once_and_back_again, at_the_end__the_books_are_right)
