"""WatchOrder on hints alone: nobody is polled in this world, so what arrives was told."""
import re

from programs import http
from watching import follow, is_whole, metric, open_watch, read
from world import run

CONFIG = """
watch_poll_ms = 60000
"""


def worker_commits__the_watch_hears_of_it(w):
    order = w.place().order_id
    seen = follow(w, order, timeout=50)
    is_whole(w, order, seen)


def order_is_cancelled__the_watch_hears_of_it(w):
    w.kill("worker")
    order = w.place().order_id
    call = open_watch(w, order, timeout=50)
    seen = [next(call).event]
    w.cancel(order)
    assert read(call, seen)[0] == "OK"
    is_whole(w, order, seen)
    assert seen[-1].kind == "cancelled", seen
    w.again("worker")


def is_up(w, program):
    return re.search("^orderd_queue_up 1$", http(w, "/metrics", program)[2], re.M)


def redis_was_away__hints_come_again(w):
    w.kill("redis")
    w.again("redis")
    w.until(lambda: w.redis("PUBSUB", "NUMSUB", "{watch}:orders").split() == ["{watch}:orders", "1"], "the subscription")
    w.until(lambda: is_up(w, "HTTP") and is_up(w, "WORKER_HTTP"), "who gives the hints")
    order = w.place().order_id
    is_whole(w, order, follow(w, order, timeout=50))


def strangers_messages__are_not_taken_for_hints(w):
    for message in ("", "x", "x" * 17, "x" * 100000):
        w.redis("PUBLISH", "{watch}:orders", message)
    order = w.place().order_id
    is_whole(w, order, follow(w, order, timeout=50))


def nothing_moves__nothing_is_read(w):
    w.kill("worker")
    order = w.place().order_id
    call = open_watch(w, order, timeout=50)
    next(call)
    before = metric(w, "watch_reads")
    for _ in range(10):  # a hint for somebody else wakes nobody
        w.cancel(w.place().order_id)
        w.redis("PUBLISH", "{watch}:orders", "x" * 16)
    # The order's own hint may have come meanwhile, on both ways.
    assert metric(w, "watch_reads") - before <= 2, (before, metric(w, "watch_reads"))
    call.cancel()
    w.again("worker")


run(worker_commits__the_watch_hears_of_it, order_is_cancelled__the_watch_hears_of_it, redis_was_away__hints_come_again,
    strangers_messages__are_not_taken_for_hints, nothing_moves__nothing_is_read, config=CONFIG)
