"""WatchOrder: every event once, in order, without gaps, whatever ends the stream."""
import threading

import grpc
from watching import follow, is_whole, metric, open_watch, read
from world import details_of, run

CONFIG = """
watch_poll_ms = 200
watch_heartbeat_ms = 600
watch_slow_ms = 1500
max_watches = 40
"""
NOBODY = "01890000-0000-7000-8000-000000000000"


def whole_life__every_event_once_in_order_and_then_the_end(w):
    order = w.place(lines=[("mug", 2)]).order_id
    seen = follow(w, order)
    is_whole(w, order, seen)
    assert seen[0].kind == "placed" and seen[-1].kind == "completed" and len(seen) > 8, [e.kind for e in seen]
    last = list(open_watch(w, order))[-1]
    names = w.pb["order"]
    assert (last.state, last.payment_state, last.fulfillment_state) == (
        names.ORDER_STATE_COMPLETED, names.PAYMENT_STATE_CAPTURED, names.FULFILLMENT_STATE_DELIVERED), last


def resume__goes_on_behind_the_sequence(w):
    order = w.place().order_id
    first = []
    assert read(open_watch(w, order), first, until=lambda e: e.sequence == 4)[0] == "CANCELLED"
    rest = follow(w, order, after=4)
    is_whole(w, order, first + rest)
    version = rest[-1].sequence
    assert follow(w, order, after=version - 1) == rest[-1:]
    assert follow(w, order, after=version) == [], "the end of an order is told also when there is nothing else"


def refusals__name_what_is_wrong(w):
    def refusal(order_id, after=0):
        end, error = read(open_watch(w, order_id, after), [])
        assert error is not None, (order_id, after, end)
        reason, _, fields = details_of(error)
        return end, reason, list(fields)

    order = w.place().order_id
    assert refusal(NOBODY) == ("NOT_FOUND", "NOT_FOUND", [])
    for order_id, after, field in (("no id", 0, "order_id"), ("", 0, "order_id"), (order, -1, "after_sequence"),
                                   (order, 1000, "after_sequence")):
        assert refusal(order_id, after) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", [field]), (order_id, after)


def other_tenants_order__is_not_found(w):
    order = w.place().order_id
    follow(w, order)
    w.sql("INSERT INTO tenant (tenant, name) VALUES (2, 'other'); UPDATE orders SET tenant = 2 WHERE id = '%s'" % order)
    try:
        assert read(open_watch(w, order), [])[0] == "NOT_FOUND"
    finally:
        w.sql("UPDATE orders SET tenant = 1 WHERE id = '%s'; DELETE FROM tenant WHERE tenant = 2" % order)
    is_whole(w, order, follow(w, order))


def cancelled_and_rejected__are_told_to_the_very_last_event(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2500)
    cancelled = w.place().order_id
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(follow(w, cancelled)))
    reader.start()
    w.cancel(cancelled, reason="changed my mind")
    reader.join(60)
    is_whole(w, cancelled, seen)
    assert seen[-1].kind == "cancelled", [e.kind for e in seen]
    # Two locations, two payments, both refused: the second is told behind the rejection.
    rejected = w.place(lines=[("lamp", 60)], card="pm_card_chargeDeclined").order_id
    seen = follow(w, rejected)
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND state IN ('ready', 'running')" % rejected) == 0,
            "the end of its work")
    is_whole(w, rejected, seen)
    assert "rejected" in [e.kind for e in seen]


def nothing_happens__heartbeats_carry_the_sequence(w):
    w.kill("worker")
    try:
        order = w.place().order_id
        call = open_watch(w, order)
        first, beats = next(call), [next(call) for _ in range(3)]
        assert first.event.kind == "placed" and first.sequence == 1, first
        assert all(b.WhichOneof("what") == "heartbeat" and b.sequence == 1 for b in beats), beats
    finally:
        w.again("worker")
    rest = []
    assert read(call, rest)[0] == "OK"
    is_whole(w, order, [first.event] + rest)


def slow_reader__is_ended_with_where_to_go_on_and_nobody_else_waits(w):
    order = w.place().order_id
    follow(w, order)
    # A window of five bytes: not one event fits until somebody reads.
    tight = grpc.insecure_channel(w.env["GRPC"], options=[("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 5),
                                                         ("grpc.use_local_subchannel_pool", 1)])
    slow_before = metric(w, "watch_slow")
    call, other = open_watch(w, order, channel=tight), w.place().order_id
    is_whole(w, other, follow(w, other))
    w.until(lambda: metric(w, "watch_slow") > slow_before, "an end of its patience")
    # Until it is over; a reader that begins to read before that is told in the usual way.
    w.until(lambda: metric(w, 'rpc_handled_total{method="watch_order",code="SLOW_READER"}') > 0, "the end")
    # What has left stays readable; then comes the status, without details, for none can overtake a message.
    seen = []
    end, error = read(call, seen)
    assert end == "RESOURCE_EXHAUSTED", (end, error)
    assert error.details().startswith("SLOW_READER:") and "resume_after=0" in error.details(), error.details()
    assert details_of(error) == ("", {}, {}), details_of(error)
    is_whole(w, order, seen + follow(w, order, after=len(seen)))
    # The same reader, reading: slow windows alone are no offence.
    seen = []
    assert read(open_watch(w, order, channel=tight), seen)[0] == "OK"
    is_whole(w, order, seen)
    tight.close()


def deadline_of_the_caller__ends_it_and_leaves_nothing(w):
    w.kill("worker")
    try:
        order = w.place().order_id
        end, _ = read(open_watch(w, order, timeout=1), [])
        assert end == "DEADLINE_EXCEEDED", end
        w.until(lambda: metric(w, "watch_streams") == 0, "no stream left")
    finally:
        w.again("worker")
    follow(w, order)


def too_many_watches__are_refused_and_the_rest_go_on(w):
    w.kill("worker")
    calls = []
    try:
        w.until(lambda: metric(w, "watch_streams") == 0, "the end of other stories' streams")
        order = w.place().order_id
        calls = [open_watch(w, order) for _ in range(40)]
        assert {next(c).event.kind for c in calls} == {"placed"}
        end, error = read(open_watch(w, order), [])
        assert (end, details_of(error)[0]) == ("RESOURCE_EXHAUSTED", "OVERLOADED"), (end, error)
    finally:
        w.again("worker")
    for call in calls:
        rest = []
        assert read(call, rest)[0] == "OK" and [e.sequence for e in rest] == list(range(2, 2 + len(rest)))


def watch_until_broken(w, order, breaks, ends):
    """Reads one event, breaks the stream, starts anew; the reader resumes behind what it has."""
    seen = []
    call = open_watch(w, order)
    seen.append(next(call).event)
    breaks()
    end, error = read(call, seen)
    assert end in ends, (end, error)
    return seen, error


def server_leaves__the_stream_is_told_and_goes_on_elsewhere(w):
    w.kill("worker")
    order = w.place().order_id
    seen, error = watch_until_broken(w, order, lambda: w.kill("orderd", "TERM"), ("UNAVAILABLE",))
    assert details_of(error)[0] == "DRAINING", details_of(error)
    w.until(lambda: w.servers("kill", w.dir, "orderd", "0", check=False).returncode != 0, "its end")
    w.again("orderd")
    w.again("worker")
    seen += follow(w, order, after=seen[-1].sequence)
    is_whole(w, order, seen)


def server_killed__the_stream_goes_on_behind_what_was_read(w):
    w.kill("worker")
    order = w.place().order_id
    seen, _ = watch_until_broken(w, order, lambda: w.kill("orderd"), ("UNAVAILABLE", "CANCELLED"))
    w.again("orderd")
    w.again("worker")
    seen += follow(w, order, after=seen[-1].sequence)
    is_whole(w, order, seen)


def redis_killed__polling_misses_nothing(w):
    order = w.place().order_id
    call = open_watch(w, order)
    seen = [next(call).event]
    w.kill("redis")
    try:
        assert read(call, seen)[0] == "OK"
        is_whole(w, order, seen)
        other = w.place().order_id
        is_whole(w, other, follow(w, other))
    finally:
        w.again("redis")
    is_whole(w, order, follow(w, order))


def postgresql_killed__the_stream_stays_and_events_come_when_it_is_back(w):
    order = w.place().order_id
    call = open_watch(w, order)
    seen = [next(call).event]
    w.kill("postgres")
    early = open_watch(w, order)  # opened while nobody can say whether there is such an order
    w.again("postgres")
    assert read(call, seen)[0] == "OK"
    is_whole(w, order, seen)
    whole = []
    assert read(early, whole)[0] == "OK"
    is_whole(w, order, whole)


def at_the_end__no_stream_is_left_and_the_books_are_right(w):
    w.until(lambda: metric(w, "watch_streams") == 0, "no stream left")
    w.until(lambda: w.number("SELECT count(*) FROM orders WHERE state IN ('pending', 'confirmed', 'cancelling')") == 0, "the end")
    w.audit()


run(whole_life__every_event_once_in_order_and_then_the_end, resume__goes_on_behind_the_sequence,
    refusals__name_what_is_wrong, other_tenants_order__is_not_found, cancelled_and_rejected__are_told_to_the_very_last_event,
    nothing_happens__heartbeats_carry_the_sequence, slow_reader__is_ended_with_where_to_go_on_and_nobody_else_waits,
    deadline_of_the_caller__ends_it_and_leaves_nothing, too_many_watches__are_refused_and_the_rest_go_on,
    server_leaves__the_stream_is_told_and_goes_on_elsewhere, server_killed__the_stream_goes_on_behind_what_was_read,
    redis_killed__polling_misses_nothing, postgresql_killed__the_stream_stays_and_events_come_when_it_is_back,
    at_the_end__no_stream_is_left_and_the_books_are_right, config=CONFIG)
