"""Attacks on both ways to orderd, while an honest caller places and reads orders on the same way.

Through the edge the honest caller never fails and nothing grows: that is asserted.  What the same does to orderd's own TLS
listener is told in docs/edge.md; here is asserted that orderd lives and serves afterwards.  ORDERD_ATTACKS=a,b: only these."""
import json
import os
import resource
import threading
import time

import grpc

import attacks
from edge import EdgeWorld, bearer
from world import run

DIRECT_S = 8  # where the honest caller may get nowhere, an attack ends all the same
RECOVERY_S = 180  # with sanitizers, on a busy machine, from 20,000 resets
HONEST_CALLS = 40  # at least, while each attack lasts
EDGE_ARGS = "connections=512 files=2048"
PACE_S = 0.02  # of the honest caller: less than half of what one address may
ENDED = (attacks.slow_handshake,)  # what the edge does not wait for
# What may be added to the peak of resident memory during one attack.
NGINX_MIB, ORDERD_MIB = 32, 96


class Honest:
    """Reads and places, one call after the other, each tenth on a new connection."""

    def __init__(self, w, way, credential, order_id):
        self.w, self.way, self.metadata, self.order_id = w, way, bearer(credential), order_id
        self.took, self.failed, self.over = [], [], threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def enough(self):
        return len(self.took) + len(self.failed) >= HONEST_CALLS

    def work(self):
        svc = self.w.pb["order_service"]
        while not self.over.is_set():
            with self.w.connect(self.way) as on:
                place = on.unary_unary("/orderd.v1.OrderService/PlaceOrder", svc.PlaceOrderRequest.SerializeToString,
                                       svc.PlaceOrderResponse.FromString)
                for n in range(10):
                    self.over.wait(PACE_S)
                    began = time.monotonic()
                    try:
                        if n == 0:
                            place(self.w.order_request(), metadata=self.metadata, timeout=20)
                        else:
                            self.w.ask(on, self.metadata, order_id=self.order_id)
                        self.took.append(time.monotonic() - began)
                    except grpc.RpcError as e:
                        self.failed.append("%s: %s" % (e.code().name, e.details()))


class Peaks:
    """How far resident memory of orderd and of nginx rose above what it was."""

    def __init__(self, w):
        self.w = w
        edge = pid_of(w, "edge")
        self.groups = {"orderd": [pid_of(w, "orderd")], "nginx": [edge, *children(edge)]}
        self.before = {}

    def __enter__(self):
        for pid in (pid for pids in self.groups.values() for pid in pids):
            with open("/proc/%d/clear_refs" % pid, "w") as f:
                f.write("5")  # the peak starts again from here
        self.before = {name: self.sum(name, "VmRSS") for name in self.groups}
        return self

    def __exit__(self, *_):
        self.rose = {name: self.sum(name, "VmHWM") - self.before[name] for name in self.groups if name == "nginx" or alive(self.w)}

    def sum(self, name, field):
        total = 0
        for pid in self.groups[name]:
            with open("/proc/%d/status" % pid) as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith(field + ":"))
        return total // 1024


def pid_of(w, name):
    with open(os.path.join(w.env["DATA"], "run", name + ".pid")) as f:
        return int(f.read().split()[0])


def alive(w):
    """Is orderd; a zombie is not."""
    try:
        with open("/proc/%d/status" % pid_of(w, "orderd")) as f:
            return "\nState:\tZ" not in f.read()
    except OSError:
        return False


def children(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            found += [int(n) for n in f.read().split()]
    return found


def under(w, way, attack, key, stranger, order_id):
    """What came of it, as a row."""
    with Peaks(w) as peaks, Honest(w, way, key, order_id) as honest:
        a = attacks.Attack(w.ways[way], w.edge_file("ca.pem"), lambda: way == "edge" and not honest.enough(), stranger, order_id)
        if way == "direct":
            a.until = time.monotonic() + DIRECT_S
        attack(a)
        if way == "edge":
            w.until(honest.enough, "answers for the honest caller")
    took = sorted(honest.took) or [0.0]
    row = {"attack": attack.__name__, "way": way, "sent": a.sent, "amount": a.amount, "connections": a.connections, "ended": a.ended, "not_let_in": a.refused,
           "honest": len(honest.took), "failed": len(honest.failed), "slowest_ms": round(took[-1] * 1000),
           "median_ms": round(took[len(took) // 2] * 1000), "mib": peaks.rose}
    print("      " + json.dumps(row), *honest.failed[:1], flush=True)
    return row, honest.failed


def prepared(w):
    if not hasattr(w, "hostile"):
        order = w.place().order_id
        w.until(lambda: w.state(order) == "completed", "delivery")
        w.hostile = (w.key().credential, w.key("stranger").credential, order)
    return w.hostile


def through_the_edge(attack):
    def story(w):
        row, failed = under(w, "edge", attack, *prepared(w))
        assert failed == [] and row["sent"] >= row["amount"], (failed[:5], row)
        assert attack not in ENDED or row["ended"] == row["sent"], row
        assert row["mib"]["nginx"] <= NGINX_MIB and row["mib"]["orderd"] <= ORDERD_MIB, row
        serves_as_before(w, "edge")
    story.__name__ = "%s__hurts_nobody_through_the_edge" % attack.__name__
    return story


def direct(attack):
    def story(w):
        row, _ = under(w, "direct", attack, *prepared(w))
        if not alive(w):
            # Its own probe found that it serves nobody any more: it ends in order and whoever looks after it starts it again.
            assert "event=stopped exit=75" in log_of(w), log_of(w)[-4000:]
            print("      %s: orderd was deaf and started again" % attack.__name__, flush=True)
            w.again("orderd")
        serves_as_before(w, "direct")
    story.__name__ = "%s__leaves_orderd_alive_without_it" % attack.__name__
    return story


def serves_as_before(w, way):
    key, _, order = prepared(w)
    with w.connect(way) as on:
        w.until(lambda: w.outcome(on, bearer(key), order_id=order) == "OK", "service", RECOVERY_S)
    assert alive(w)
    w.until(lambda: in_flight(w) == 0, "the end of what was under way", RECOVERY_S)


def in_flight(w):
    import urllib.request
    text = urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://%s/metrics" % w.env["HTTP"], timeout=10).read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("orderd_rpc_in_flight"))


def log_of(w):
    with open(os.path.join(w.env["DATA"], "log", "orderd.log"), errors="replace") as f:
        return f.read()


def nothing_was_lost(w):
    w.audit()
    assert "Sanitizer" not in log_of(w), log_of(w)[-4000:]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    chosen = [a for a in attacks.ALL if a.__name__ in os.environ.get("ORDERD_ATTACKS", a.__name__).split(",")]
    run(*(make(a) for a in chosen for make in (through_the_edge, direct)), nothing_was_lost, kind=EdgeWorld, edge_args=EDGE_ARGS)
