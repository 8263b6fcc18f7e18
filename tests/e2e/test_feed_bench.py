"""What following costs: memory of each follower, and how late it hears.  A small crowd; for the real one

    cmake --preset release && cmake --build build/release
    FEED_FOLLOWERS=10000 ORDERD_BUILD=$PWD/build/release python3 -B tests/e2e/test_feed_bench.py
"""
import json
import os
import subprocess

from feeding import alone, orders_of_their_own
from world import BUILD, run

FOLLOWERS = int(os.environ.get("FEED_FOLLOWERS", 300))
EACH, EVENTS = 100, 20  # streams of a connection, events for each follower
# Written past orderd, so nobody gives a hint: looked for as often as hints would make it.
CONFIG = "max_watches = %d\nwatch_poll_ms = 20\n" % (FOLLOWERS + 100)


def memory_kib(w):
    with open(os.path.join(w.env["DATA"], "run", "orderd.pid")) as f:
        pid = f.read().split()[0]
    with open("/proc/%s/status" % pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def write(w, customers):
    """An event of one customer after the other, each a transaction; a round every quarter of a second."""
    alone(w, "DO $$ DECLARE c record; BEGIN FOR i IN 1..%d LOOP FOR c IN SELECT id FROM orders WHERE channel = 'feed' LOOP"
          " INSERT INTO order_event (tenant, order_id, seq, kind, to_state, actor, at) VALUES"
          " (1, c.id, i, 'tracking', 'completed', 'test', clock_timestamp()); COMMIT; END LOOP;"
          " PERFORM pg_sleep(0.25); END LOOP; END $$" % EVENTS)


def follow(w, customers, what):
    w.sql("DELETE FROM orders WHERE channel = 'feed'")
    orders_of_their_own(w, "1", 0, max(customers - 1, 0))
    before = memory_kib(w)
    crowd = subprocess.Popen([os.path.join(BUILD, "tests", "bench", "bench_feed"), w.env["GRPC"], str(FOLLOWERS), str(EACH),
                              str(customers), str(EVENTS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert crowd.stdout.readline() == "open\n", crowd.communicate()
        opened = memory_kib(w)
        write(w, customers)
        out, err = crowd.communicate(timeout=300)
        assert crowd.returncode == 0, (out, err)
        assert json.loads(out)["events"] == FOLLOWERS * EVENTS, out
    finally:
        crowd.kill()
        crowd.wait()
    print(what + ":", out.strip(), flush=True)
    return (opened - before) / FOLLOWERS, (memory_kib(w) - before) / FOLLOWERS


def everybody_follows_all(w):
    # The first crowd's alone: the next one has its memory from it.
    print("%.1f KiB of each follower, %.1f when all had heard" % follow(w, 0, "all follow all"), flush=True)


def each_follows_a_customer(w):
    follow(w, max(FOLLOWERS // 20, 1), "a customer for every twenty")


run(everybody_follows_all, each_follows_a_customer, config=CONFIG + "audit_s = 0\n")
