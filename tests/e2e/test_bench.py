"""orderctl bench: what it counts is what was done."""
import json
import os
import subprocess
import tempfile

from programs import http
from world import run


def bench(w, *args, code=0):
    done = subprocess.run([os.path.join(w.env["DATA"], "bin", "orderctl"), "--server", w.env["GRPC"], "bench", *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == code and "Sanitizer" not in done.stderr, (args, done.returncode, done.stdout, done.stderr)
    return done


def result(w, *args, code=0):
    return json.loads(bench(w, *args, "--json", code=code).stdout)


def ids_file(w):
    return os.path.join(w.scratch, "ids")


def catalogue__is_loaded_and_a_second_time_there_is_more(w):
    for times in (1, 2):
        assert bench(w, "load", "--skus", "1500", "--quantity", "10").stdout == "1500 items, 10 of each at BENCH\n"
        assert w.number("SELECT count(*) FROM item WHERE sku LIKE 'bench-%'") == 1500
        assert w.number("SELECT min(on_hand) FROM stock JOIN item USING (tenant, item) WHERE sku LIKE 'bench-%'") == 10 * times


def every_acknowledged_order__is_in_the_file_and_in_the_database(w):
    got = result(w, "place", "--orders", "300", "--warmup", "0", "--clients", "120", "--skus", "1500", "--ids", ids_file(w))
    assert (got["ok"], got["started"], got["failed"], got["errors"]) == (300, 300, 0, {}), got
    assert 0 < got["latency_ms"]["p50"] <= got["latency_ms"]["p99"] <= got["latency_ms"]["max"] < 60000, got
    with open(ids_file(w)) as f:
        ids = f.read().split()
    assert len(ids) == len(set(ids)) == 300
    assert {row[0] for row in w.sql("SELECT id FROM orders")} == set(ids)
    assert w.sql("SELECT DISTINCT count(*), count(DISTINCT item) FROM order_line GROUP BY order_id") == [("2", "2")]


def same_seed__orders_the_same_goods_anew(w):
    bodies = []
    for _ in range(2):
        before = {row[0] for row in w.sql("SELECT id FROM orders")}
        result(w, "place", "--orders", "20", "--warmup", "0", "--clients", "1", "--skus", "1500", "--lines", "3", "--seed", "7")
        rows = w.sql("SELECT id, customer, (SELECT string_agg(item::text, ' ' ORDER BY line) FROM order_line l WHERE l.order_id = o.id) "
                     "FROM orders o ORDER BY number")
        bodies.append([row[1:] for row in rows if row[0] not in before])
    assert len(bodies[0]) == 20 and bodies[0] == bodies[1], bodies


def placed_orders__are_shown_and_asked_for(w):
    for verb in ("get", "status"):
        got = result(w, verb, "--orders", "200", "--warmup", "0", "--ids", ids_file(w))
        assert (got["bench"], got["ok"], got["failed"]) == (verb, 200, 0), got
    with open(ids_file(w), "a") as f:
        f.write("01890000-0000-7000-8000-000000000000\n" * 300)
    got = result(w, "status", "--orders", "200", "--warmup", "0", "--ids", ids_file(w), code=1)
    assert got["ok"] + got["failed"] == 200 and got["errors"] == {"NOT_FOUND": got["failed"]} and got["failed"] > 0, got


def what_is_refused__is_counted_by_reason(w):
    assert bench(w, "load", "--skus", "1", "--quantity", "5").stdout.startswith("1 items")
    left = w.number("SELECT on_hand - reserved - allocated FROM stock JOIN item USING (tenant, item) WHERE sku = 'bench-000000'")
    got = result(w, "place", "--orders", "100", "--warmup", "0", "--skus", "1", "--lines", "1", code=1)
    assert (got["ok"], got["errors"]) == (left, {"OUT_OF_STOCK": 100 - left}), (left, got)
    assert "OUT_OF_STOCK" in bench(w, "place", "--orders", "1", "--warmup", "0", "--skus", "1", "--lines", "1", code=1).stdout


def open_loop__asks_at_its_rate(w):
    got = result(w, "status", "--rate", "50", "--seconds", "2", "--warmup", "0", "--ids", ids_file(w), "--clients", "10", code=1)
    assert 50 < got["started"] <= 100, got  # a hundred, unless this machine stood still at the end


def wrong_usage__ends_with_2(w):
    for args in (("place", "--clients", "0"), ("place", "--seconds", "1", "--orders", "1"), ("get",), ("get", "--ids", "/nowhere"),
                 ("place", "--lines", "3", "--skus", "2"), ("place", "--rate", "fast")):
        assert bench(w, *args, code=2).stdout == "", args


def at_the_end__the_books_are_right(w):
    w.audit()


def event_of_a_watched_order__is_measured(w):
    w.kill("worker")  # it stays as it is until it is cancelled
    order = w.place().order_id
    with open(ids_file(w), "w") as f:
        f.write(order + "\n")
    args = ["--server", w.env["GRPC"], "bench", "watch", "--clients", "2", "--seconds", "20", "--ids", ids_file(w), "--json"]
    watching = subprocess.Popen([os.path.join(w.env["DATA"], "bin", "orderctl"), *args], stdout=subprocess.PIPE, text=True)
    w.until(lambda: sample(w, "orderd_watch_streams") == 2, "both watches")
    events = "SELECT count(*) FROM order_event WHERE order_id = '%s'" % order
    before = w.number(events)
    w.cancel(order)
    got = json.loads(watching.communicate(timeout=60)[0])
    after = w.number(events)
    w.again("worker")
    assert watching.returncode == 0 and got["bench"] == "watch" and got["failed"] == 0 and got["started"] >= 2, got
    assert got["ok"] == 2 * (after - before) > 0, (got, before, after)
    assert 0 < got["latency_ms"]["p50"] <= got["latency_ms"]["max"] < 60000, got


def sample(w, name):
    page = http(w, "/metrics")[2]
    found = [line for line in page.splitlines() if line.startswith(name + " ")]
    return float(found[0].split()[1]) if found else 0


run(catalogue__is_loaded_and_a_second_time_there_is_more, every_acknowledged_order__is_in_the_file_and_in_the_database,
    same_seed__orders_the_same_goods_anew, placed_orders__are_shown_and_asked_for, what_is_refused__is_counted_by_reason,
    open_loop__asks_at_its_rate, event_of_a_watched_order__is_measured, wrong_usage__ends_with_2, at_the_end__the_books_are_right)
