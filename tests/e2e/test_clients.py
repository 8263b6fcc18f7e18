"""The example clients of clients/, as their readers would run them: whatever dies in between, one order and every event.

Each story is told by each client, through a line (line.py) that stays where it is when orderd comes back elsewhere."""
import glob
import json
import os
import subprocess
import sys
import threading
import uuid

from line import Line
from world import ROOT, run

CLIENTS = os.path.join(ROOT, "clients")
CONFIG = """
watch_poll_ms = 200
watch_heartbeat_ms = 600
"""


def node_command(w):
    found = glob.glob(os.path.join(ROOT, "tests/node/node_modules/node-linux-*/bin/node"))
    return [found[0], os.path.join(CLIENTS, "node", "example.js")]


def python_command(w):
    generated = os.path.join(w.scratch, "client")
    if not os.path.exists(generated):
        subprocess.run([os.path.join(CLIENTS, "python", "generate"), generated], check=True)
    return ["/usr/bin/env", "PYTHONPATH=" + generated, "/usr/bin/python3", "-B", os.path.join(CLIENTS, "python", "example.py")]


class Client:
    """One run of an example: what it has said so far, line by line."""

    def __init__(self, w, command, *args):
        self.w, self.out, self.err = w, [], []
        # A proxy of the machine's must not come between; neither must a module of the tests'.
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "PYTHONPATH"}
        self.process = subprocess.Popen([*command(w), *args], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @staticmethod
    def read(pipe, lines):
        for line in pipe:
            lines.append(line.rstrip("\n"))

    def says(self, lines, start):
        self.w.until(lambda: any(x.startswith(start) for x in lines) or self.process.poll() is not None, "%r" % start)
        assert any(x.startswith(start) for x in lines), (start, self.out, self.err)

    def end(self, code=0):
        assert self.process.wait(60) == code, (self.process.returncode, self.out, self.err)
        for reader in self.readers:
            reader.join(10)
        return self

    @property
    def order_id(self):
        return next(x.split()[1] for x in self.out if x.startswith("placed "))

    @property
    def events(self):
        return [(int(x.split()[1]), x.split()[2]) for x in self.out if x.startswith("event ")]


def is_whole(w, client, order_id, after=0):
    """It saw what happened to the order, each event once and in order, up to the end."""
    told = [(e.sequence, e.kind) for e in w.get(order_id, with_events=True).events]
    assert client.events == told[after:], (client.events, told)
    assert client.out[-1] == "ended", client.out


def one_order(w, customer):
    found = w.sql("SELECT o.id FROM orders o WHERE o.customer = '%s'" % customer)
    assert len(found) == 1, found
    return found[0][0]


def places_and_follows(w, command):
    with Line(lambda: w.env["GRPC"]) as line:
        with Client(w, command, line.address, "place", str(uuid.uuid4()), "calm", "mug=2", "lamp=1") as c:
            c.end()
            is_whole(w, c, c.order_id)
            assert c.events[-1][1] == "completed" and c.err == [], (c.events, c.err)


def refused__names_every_field_and_is_not_asked_again(w, command):
    with Client(w, command, w.env["GRPC"], "place", "", "", "mug=0") as c:
        c.end(1)
    assert c.err[0].startswith("INVALID_ARGUMENT INVALID_ARGUMENT "), c.err
    for field in ("request_id", "customer", "lines[0].quantity"):
        assert any(x.startswith("field %s: " % field) for x in c.err), (field, c.err)
    with Client(w, command, w.env["GRPC"], "place", str(uuid.uuid4()), "greedy", "lamp=100000") as c:
        c.end(1)
    assert c.err[0].startswith("FAILED_PRECONDITION OUT_OF_STOCK ") and "fact sku: lamp" in c.err, c.err
    with Client(w, command, w.env["GRPC"], "watch", "01890000-0000-7000-8000-000000000000") as c:
        c.end(1)
    assert c.err[0].startswith("NOT_FOUND NOT_FOUND ") and c.out == [], (c.out, c.err)


def answer_lost_with_its_connection__the_policy_of_the_file_asks_again(w, command):
    request_id, customer = str(uuid.uuid4()), "cut-" + str(uuid.uuid4())
    with Line(lambda: w.env["GRPC"], deaf_from=request_id.encode()) as line:
        with Client(w, command, line.address, "place", request_id, customer, "mug=1") as c:
            w.until(lambda: w.sql("SELECT 1 FROM orders WHERE customer = '%s'" % customer) != [], "the order")
            assert c.out == [], c.out
            line.cut()
            c.end()
    assert c.err == [], "gRPC retries, the program is not bothered: %s" % c.err
    assert c.order_id == one_order(w, customer)
    is_whole(w, c, c.order_id)


def answer_never_comes__deadline_of_the_file_and_the_same_request_id(w, command):
    request_id, customer = str(uuid.uuid4()), "deaf-" + str(uuid.uuid4())
    with Line(lambda: w.env["GRPC"], deaf_from=request_id.encode()) as line:
        with Client(w, command, line.address, "place", request_id, customer, "mug=1") as c:
            c.says(c.err, "again DEADLINE_EXCEEDED")
            one_order(w, customer)
            line.cut()
            c.end()
    assert c.order_id == one_order(w, customer)
    is_whole(w, c, c.order_id)


def orderd_killed_before_and_while_followed__one_order_no_event_lost(w, command):
    request_id, customer = str(uuid.uuid4()), "killed-" + str(uuid.uuid4())
    w.kill("worker")
    w.kill("orderd")
    try:
        with Line(lambda: w.env["GRPC"]) as line:
            with Client(w, command, line.address, "place", request_id, customer, "mug=1") as c:
                c.says(c.err, "again UNAVAILABLE")
                w.again("orderd")
                c.says(c.out, "event 1 placed")
                del c.err[:]
                w.kill("orderd")
                c.says(c.err, "again ")
                w.again("worker")  # what happens now, nobody watches
                w.until(lambda: w.sql("SELECT 1 FROM orders WHERE customer = '%s' AND state = 'completed'" % customer) != [],
                        "the order's end")
                w.again("orderd")
                c.end()
    finally:
        w.again("orderd")
        w.again("worker")
    assert c.order_id == one_order(w, customer)
    assert len(w.charges("authorize", c.order_id)) == 1
    is_whole(w, c, c.order_id)


def storage_away__orderd_says_so_and_the_order_comes_about(w, command):
    request_id, customer = str(uuid.uuid4()), "stored-" + str(uuid.uuid4())
    w.kill("postgres")
    try:
        with Client(w, command, w.env["GRPC"], "place", request_id, customer, "mug=1") as c:
            c.says(c.err, "again UNAVAILABLE STORE_UNAVAILABLE")
            w.again("postgres")
            c.end()
    finally:
        w.again("postgres")
    assert c.order_id == one_order(w, customer)
    is_whole(w, c, c.order_id)


def asked_again_by_another_run__the_same_order(w, command):
    request_id, customer = str(uuid.uuid4()), "twice-" + str(uuid.uuid4())
    ids = set()
    for _ in range(2):
        with Client(w, command, w.env["GRPC"], "place", request_id, customer, "mug=1") as c:
            ids.add(c.end().order_id)
    assert ids == {one_order(w, customer)}, ids


def watch_after_sleep__goes_on_behind_the_sequence_stored(w, command):
    order = w.place().order_id
    w.until(lambda: w.state(order) == "completed", "delivery")
    with Client(w, command, w.env["GRPC"], "watch", order, "4") as c:
        c.end()
    is_whole(w, c, order, after=4)


def told_of_all(client):
    """(order, sequence, kind) up to the last token, and that: what it would go on behind."""
    out = list(client.out)
    end = max(n for n, x in enumerate(out) if x.startswith("token "))
    return [tuple(x.split()[1:]) for x in out[:end] if x.startswith("order ")], out[end].split()[1]


def follows_all__server_killed_and_asleep_for_a_while(w, command):
    def heard_end(client, order):
        return lambda: any(x.startswith("token ") for x in client.out) and any(
            (o, kind) == (order, "completed") for o, _, kind in told_of_all(client)[0])

    orders = []
    with Line(lambda: w.env["GRPC"]) as line:
        with Client(w, command, line.address, "all", "", "sleeper") as c:
            c.says(c.out, "token ")
            for _ in range(2):
                orders.append(w.place(customer="sleeper").order_id)
                w.until(heard_end(c, orders[-1]), "the order's end")
                if len(orders) == 1:
                    w.kill("orderd")
                    w.again("orderd")
        seen, token = told_of_all(c)
        orders.append(w.place(customer="sleeper").order_id)
        w.until(lambda: w.state(orders[-1]) == "completed", "delivery")
        with Client(w, command, line.address, "all", token, "sleeper") as c:
            w.until(heard_end(c, orders[-1]), "the order's end")
        seen += told_of_all(c)[0]
    told = [(o, str(e.sequence), e.kind) for o in orders for e in w.get(o, with_events=True).events]
    assert seen == told, (seen, told)


def service_config__names_methods_there_are_and_gives_each_a_deadline(w):
    # gRPC ignores a name it does not know.
    with open(os.path.join(CLIENTS, "service_config.json")) as f:
        rows = json.load(f)["methodConfig"]
    service = w.pb["order_service"].DESCRIPTOR.services_by_name["OrderService"]
    for name in (name for row in rows for name in row["name"]):
        assert name["service"] == service.full_name and name.get("method", "PlaceOrder") in service.methods_by_name, name
    assert all("timeout" in row for row in rows), rows


STORIES = (places_and_follows, refused__names_every_field_and_is_not_asked_again,
           answer_lost_with_its_connection__the_policy_of_the_file_asks_again,
           answer_never_comes__deadline_of_the_file_and_the_same_request_id,
           orderd_killed_before_and_while_followed__one_order_no_event_lost,
           storage_away__orderd_says_so_and_the_order_comes_about, asked_again_by_another_run__the_same_order,
           watch_after_sleep__goes_on_behind_the_sequence_stored, follows_all__server_killed_and_asleep_for_a_while)


def told_by(name, command, story):
    def told(w):
        story(w, command)
    told.__name__ = "%s: %s" % (name, story.__name__)
    return told


if __name__ == "__main__":
    if not os.path.isdir(os.path.join(CLIENTS, "node", "node_modules", "@grpc")) or not glob.glob(
            os.path.join(ROOT, "tests/node/node_modules/node-linux-*/bin/node")):
        print("npm ci has not been run in clients/node and tests/node: ./dev test sees to both")
        sys.exit(77)
    run(service_config__names_methods_there_are_and_gives_each_a_deadline,
        *(told_by(name, command, story) for name, command in (("node", node_command), ("python", python_command))
          for story in STORIES), config=CONFIG)
