"""Once is once: the same order fifty times at once, two hundred buyers of the last unit, ten thousand orders in few commits."""
import concurrent.futures
import os

import grpc
from world import details_of, run


def same_order_fifty_times_at_once__is_one_order_one_reservation_one_charge(w):
    rq = w.order_request(lines=[("mug", 4)])
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: w.call("OrderService", "PlaceOrder", rq).order, range(50)))
    assert len({a.order_id for a in answers}) == 1
    order = answers[0].order_id
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert w.number("SELECT count(*) FROM orders WHERE id = '%s'" % order) == 1
    assert w.number("SELECT sum(qty) FROM reservation WHERE order_id = '%s'" % order) == 4
    assert len(w.charges("authorize", order)) == 1 and len(w.charges("capture", order)) == 1


def two_hundred_buyers_of_the_last_unit__one_gets_it(w):
    requests = [w.order_request(lines=[("unique", 1)], customer="buyer-%d" % i) for i in range(200)]

    def buy(rq):
        try:
            return w.call("OrderService", "PlaceOrder", rq, timeout=30).order.order_id
        except grpc.RpcError as e:
            assert e.code().name == "FAILED_PRECONDITION" and details_of(e)[0] == "OUT_OF_STOCK", e
            return None

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        won = [o for o in pool.map(buy, requests) if o]
    assert len(won) == 1, won
    w.until(lambda: w.state(won[0]) == "completed", "delivery")
    assert w.sql("SELECT on_hand, reserved, allocated FROM stock JOIN item USING (tenant, item) WHERE sku = 'unique'") == [("0", "0", "0")]


def ten_thousand_orders__are_committed_in_less_than_half_as_many_statements(w):
    count = int(os.environ.get("ORDERD_MANY", "10000"))
    w.receive("BER1", bulk=count)
    w.sql("SELECT pg_stat_statements_reset()")
    before = w.number("SELECT count(*) FROM orders")
    place = w.channel.unary_unary("/orderd.v1.OrderService/PlaceOrder", lambda r: r.SerializeToString(),
                                  w.pb["order_service"].PlaceOrderResponse.FromString)
    window, done = set(), 0
    for i in range(count):
        window.add(place.future(w.order_request(lines=[("bulk", 1)], customer="many-%d" % (i % 50)), timeout=60))
        if len(window) >= 256:
            ended, window = wait_some(window)
            done += len(ended)
    for f in window:
        f.result()
        done += 1
    assert done == count
    assert w.number("SELECT count(*) FROM orders") - before == count
    calls = w.number("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE '%INSERT INTO orders%'")
    print("      %d orders in %d order_place statements" % (count, calls))
    assert 0 < calls < count / 2


def wait_some(window):
    """gRPC's futures are not concurrent.futures': the oldest first, then all that are done."""
    first = next(iter(window))
    first.result()
    ended = {f for f in window if f.done()}
    for f in ended:
        f.result()
    return ended, window - ended


run(same_order_fifty_times_at_once__is_one_order_one_reservation_one_charge, two_hundred_buyers_of_the_last_unit__one_gets_it,
    ten_thousand_orders__are_committed_in_less_than_half_as_many_statements)
