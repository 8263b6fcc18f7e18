"""WatchOrders: every event of a tenant once, whatever ends the stream, at whichever server it is taken up again."""
import os
import subprocess
import threading

import grpc
from feeding import Reader, is_whole, key, open_feed, stored
from programs import LISTEN, Running
from watching import metric
from world import details_of, run

CONFIG = """
watch_poll_ms = 200
watch_heartbeat_ms = 600
watch_slow_ms = 1500
max_watches = 40
"""


def completed(order):
    return lambda e: e.order_id == order and e.event.kind == "completed"


def refusal(w, **how):
    try:
        for _ in open_feed(w, **how):
            raise AssertionError("a message")
    except grpc.RpcError as e:
        return (e.code().name,) + details_of(e)
    raise AssertionError("a good end")


def everything_of_a_tenant__once_in_order_and_each_with_its_name(w):
    reader, mine = Reader(w).open(), Reader(w, customer="ada").open()
    since = w.number("SELECT coalesce(max(number), 0) FROM orders")
    orders = [w.place(customer=c, lines=[("mug", 1)]) for c in ("ada", "bob", "ada", "eve")]
    left, heard = {o.order_id for o in orders}, []
    for m in reader.call:
        reader.take(m)
        heard += m.events
        left -= {e.order_id for e in m.events if e.event.kind == "completed"}
        if not left:
            break
    is_whole(reader.seen, stored(w, since=since))
    by_id = {o.order_id: o for o in orders}
    for e in heard:
        assert (e.order_number, e.customer) == (by_id[e.order_id].order_number, by_id[e.order_id].customer), e
    whole = [e.event for e in heard if e.order_id == orders[0].order_id]
    assert whole == list(w.get(orders[0].order_id, with_events=True).events), "as GetOrder tells them"
    left = {o.order_id for o in orders if o.customer == "ada"}
    for m in mine.call:
        mine.take(m)
        left -= {e.order_id for e in m.events if e.event.kind == "completed"}
        if not left:
            break
    is_whole(mine.seen, stored(w, customer="ada", since=since))


def resume__goes_on_behind_the_token_also_from_long_ago(w):
    reader, old = Reader(w).open(), Reader(w, customer="long").open()
    old.call.cancel()
    since = w.number("SELECT max(number) FROM orders")
    order = w.place(customer="long").order_id
    assert reader.until(lambda e: e.event.kind == "confirmed")[0] == "CANCELLED"
    first = list(reader.seen)
    others = [w.place(customer="short").order_id for _ in range(3)]
    reader.open()
    left = {order, *others}
    for m in reader.call:
        reader.take(m)
        left -= {e.order_id for e in m.events if e.event.kind == "completed"}
        if not left:
            break
    assert reader.seen[:len(first)] == first
    is_whole(reader.seen, stored(w, since=since))
    old.open()
    assert old.until(completed(order))[0] == "CANCELLED"
    is_whole(old.seen, stored(w, customer="long", since=since))


def tokens__are_of_their_tenant_customer_and_database(w):
    reader = Reader(w).open()
    bad = ("INVALID_ARGUMENT", "INVALID_ARGUMENT", {}, {"resume_token": "it is not a token of this feed with this customer"})
    assert refusal(w, token="garbage") == bad
    assert refusal(w, token=reader.token[:-1] + ("0" if reader.token[-1] != "0" else "1")) == bad
    assert refusal(w, token=reader.token, customer="ada") == bad, "another filter"
    assert refusal(w, token="x" * 500) == bad
    assert list(refusal(w, customer="x" * 129)[3]) == ["customer"]


def transactions_commit_out_of_order__nothing_is_lost(w):
    """An old transaction that still writes delays the feed, and only that; what it wrote is told when it is over."""
    order = w.place(customer="late").order_id
    w.until(lambda: w.state(order) == "completed", "the end of it")
    last = w.number("SELECT max(seq) FROM order_event WHERE order_id = '%s'" % order)
    reader = Reader(w).open()
    since = w.number("SELECT max(number) FROM orders")
    with psql(w) as slow:
        slow.say("BEGIN; INSERT INTO order_event (tenant, order_id, seq, kind, to_state, actor)"
                 " VALUES (1, '%s', %d, 'tracking', 'completed', 'test');" % (order, last + 1))
        later = w.place(customer="late").order_id
        w.until(lambda: w.state(later) == "completed", "the later one")
        w.until(lambda: metric(w, "feed_held_up_seconds") >= 1, "a gauge that says why")
        slow.say("COMMIT;")
    assert reader.until(completed(later))[0] == "CANCELLED"
    is_whole(reader.seen, stored(w, since=since) | {(order, last + 1)})
    w.until(lambda: metric(w, "feed_held_up_seconds") == 0, "no delay")
    w.sql("DELETE FROM order_event WHERE (order_id, seq) = ('%s', %d)" % (order, last + 1))


def older_transaction_writes_the_later_event__the_order_stays_in_sequence(w):
    """It began first and waited for the order: its number is lower, its event's sequence higher."""
    order = w.place(customer="waits").order_id
    w.until(lambda: w.state(order) == "completed", "the end of it")
    last = w.number("SELECT max(seq) FROM order_event WHERE order_id = '%s'" % order)
    event = "INSERT INTO order_event (tenant, order_id, seq, kind, to_state, actor) VALUES (1, '%s', %d, 'tracking', 'completed', 'test');"
    reader = Reader(w, customer="waits").open()
    with psql(w) as older, psql(w) as newer:
        older.say("BEGIN; SELECT pg_current_xact_id();")
        newer.say("BEGIN; " + event % (order, last + 1) + " COMMIT;")
        older.say(event % (order, last + 2) + " COMMIT;")
    assert reader.until(lambda e: len(reader.seen) == 2)[0] == "CANCELLED"
    assert reader.seen == [(order, last + 1), (order, last + 2)], reader.seen
    w.sql("DELETE FROM order_event WHERE order_id = '%s' AND seq > %d" % (order, last))


class psql:
    """A session of its own, a statement at a time."""

    def __init__(self, w):
        self.process = subprocess.Popen(
            ["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1",
             "host=%s dbname=orderd user=postgres" % w.env["SOCKETS"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say("SET search_path = orderd, public;")

    def say(self, sql):
        """Returns when it was done."""
        self.process.stdin.write(sql + "\n\\echo done\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line == "done\n":
                return
        raise AssertionError("psql ended: " + sql)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def nothing_happens__heartbeats_bring_fresh_tokens(w):
    reader = Reader(w).open()
    beats = [next(reader.call) for _ in range(3)]
    assert all(not b.events and b.resume_token for b in beats), beats
    w.sql("SELECT pg_current_xact_id()")
    while next(reader.call).resume_token == beats[-1].resume_token:
        pass  # till the call's deadline


def slow_reader__is_ended_with_its_token_and_nobody_else_waits(w):
    tight = grpc.insecure_channel(w.env["GRPC"], options=[("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 5),
                                                         ("grpc.use_local_subchannel_pool", 1)])
    before, since = metric(w, "watch_slow"), w.number("SELECT max(number) FROM orders")
    start = Reader(w).open()
    slow, other = open_feed(w, start.token, channel=tight), Reader(w).open()
    start.call.cancel()
    order = w.place(customer="slow").order_id
    assert other.until(completed(order))[0] == "CANCELLED"
    w.until(lambda: metric(w, "watch_slow") > before, "an end of its patience")
    w.until(lambda: metric(w, 'rpc_handled_total{method="watch_orders",code="SLOW_READER"}') > 0, "the end")
    seen = Reader(w)
    seen.call = slow
    end, error = seen.until(None)
    assert end == "RESOURCE_EXHAUSTED" and error.details().startswith("SLOW_READER:"), (end, error)
    said = error.details().split("resume_token=")[1]
    again = Reader(w)
    again.token = said
    again.open()
    assert again.until(completed(order))[0] == "CANCELLED"
    is_whole(again.seen, stored(w, since=since))
    is_whole(other.seen, stored(w, since=since))
    tight.close()


def server_leaves__its_token_is_good_at_the_other(w):
    with Running(w, "orderd", *LISTEN) as leaving:
        channel = grpc.insecure_channel(leaving.addresses["grpc"], options=[("grpc.use_local_subchannel_pool", 1)])
        since = w.number("SELECT max(number) FROM orders")
        reader, idle = Reader(w).open(channel), Reader(w).open(channel)
        order = w.place(customer="moves").order_id
        seen = next(m for m in reader.call if m.events)
        reader.take(seen)
        assert leaving.end() == 0
        end, error = reader.until(None)
        assert end == "UNAVAILABLE" and "resume_token=" in error.details(), (end, error)
        channel.close()
    reader.open(w.channel)
    assert reader.until(completed(order))[0] == "CANCELLED"
    is_whole(reader.seen, stored(w, since=since))
    end, error = idle.until(None)
    assert end in ("UNAVAILABLE", "CANCELLED"), end


def database_is_another__tokens_are_refused_by_name(w):
    order = w.place(customer="anew").order_id
    w.until(lambda: w.state(order) == "completed", "the end of it")
    reader = Reader(w).open()
    w.sql("UPDATE feed_epoch SET cluster = cluster + 1")
    end, error = reader.until(None)
    assert (end, details_of(error)[0]) == ("FAILED_PRECONDITION", "FEED_NOT_READY"), (end, error)
    owner = "--postgres=host=%s dbname=orderd user=orderd_owner" % w.env["SOCKETS"]
    done = subprocess.run([os.path.join(w.env["DATA"], "bin", "orderd"), "migrate", owner], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert w.number("SELECT count(*) FROM order_event WHERE xid > '3'") == 0
    assert refusal(w, token=reader.token)[:2] == ("OUT_OF_RANGE", "FEED_BEGAN_ANEW")
    reader, since = Reader(w).open(), w.number("SELECT max(number) FROM orders")
    order = w.place(customer="anew").order_id
    assert reader.until(completed(order))[0] == "CANCELLED"
    is_whole(reader.seen, stored(w, since=since))


def storage_away__followers_stay_and_hear_the_rest(w):
    since = w.number("SELECT max(number) FROM orders")
    reader = Reader(w).open()
    w.kill("postgres")
    w.again("postgres")
    order = None

    def placed():
        nonlocal order
        try:
            order = w.place(customer="away").order_id
        except grpc.RpcError:
            return False
        return True

    w.until(placed, "an order")
    assert reader.until(completed(order))[0] == "CANCELLED"
    assert stored(w, customer="away", since=since) >= {x for x in reader.seen if x[0] == order}
    is_whole([x for x in reader.seen if x[0] == order], {x for x in stored(w, since=since) if x[0] == order})


def too_many__are_refused(w):
    w.until(lambda: metric(w, "feed_streams") == 0, "the end of other stories' streams")
    calls = [open_feed(w) for _ in range(40)]
    for call in calls:
        next(call)
    assert refusal(w)[:2] == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    for call in calls:
        call.cancel()
    w.until(lambda: metric(w, "feed_streams") == 0, "no stream left")


def at_the_end__the_books_are_right(w):
    w.audit()


run(everything_of_a_tenant__once_in_order_and_each_with_its_name, resume__goes_on_behind_the_token_also_from_long_ago,
    tokens__are_of_their_tenant_customer_and_database, transactions_commit_out_of_order__nothing_is_lost,
    older_transaction_writes_the_later_event__the_order_stays_in_sequence, nothing_happens__heartbeats_bring_fresh_tokens,
    slow_reader__is_ended_with_its_token_and_nobody_else_waits, server_leaves__its_token_is_good_at_the_other,
    storage_away__followers_stay_and_hear_the_rest, too_many__are_refused,
    database_is_another__tokens_are_refused_by_name, at_the_end__the_books_are_right, config=CONFIG)
