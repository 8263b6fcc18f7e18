"""How the programs begin and end: what they refuse to start on, what they say while they run, how they leave."""
import os
import re
import subprocess
import threading
import uuid

import grpc
from programs import LISTEN, Running, http, own, program, start, write
from world import run


# ---- what is refused

def mistake_in_the_file__is_named_with_its_line(w):
    good = ["%s = %s" % pair for pair in own(w).items()]
    n = len(good) + 1
    for line, field, why in (
            ("drian_s = 3", "drian_s", "did you mean drain_s"),
            ("frobnicate = 3", "frobnicate", "no such setting"),
            ("drain_s = 99999", "drain_s", "from 0 to 3600"),
            ("drain_s = soon", "drain_s", "whole number"),
            ("drain_s =", "drain_s", "whole number"),
            ("drain_s", "drain_s", "needs a value"),
            ("redis = unix:/x", "redis", "given twice"),
            ('ca_file = "/x', "ca_file", "quotes")):
        path = write(w, good + [line])
        for name in ("orderd", "orderd-worker"):
            code, out, err = start(w, name, "--config=" + path)
            assert (code, out) == (2, ""), (name, line, code, out, err)
            assert err.startswith("%s:%d: %s: " % (path, n, field)) and why in err and err.count("\n") == 1, (name, line, err)
    path = write(w, good + ["drain_s = x", "", "lease_s = x", "nonsense = x"])
    code, _, err = start(w, "orderd", "--config=" + path)
    assert code == 2 and [line.split(":")[1] for line in err.splitlines()] == [str(n), str(n + 2), str(n + 3)], err


def setting_that_cannot_work__is_named_with_its_reason(w):
    short = os.path.join(w.scratch, "short.key")
    with open(short, "w") as f:
        f.write("abc\n")
    anywhere = "0.0.0.0:0"
    both, server, worker = ("orderd", "orderd-worker"), ("orderd",), ("orderd-worker",)
    for names, field, value, why in (
            (both, "postgres", None, "required"),
            (both, "postgres", "nonsense", "missing \"=\""),
            (both, "redis", "nonsense", "host:port or unix:/path"),
            (both, "redis", "127.0.0.1:x", "host:port or unix:/path"),
            (both, "log_level", "loud", "debug, info, warn or error"),
            (both, "log_format", "xml", "logfmt or json"),
            (both, "contact_key_file", "/nowhere/key", "/nowhere/key: No such file"),
            (both, "contact_key_file", "/tmp", "/tmp: Is a directory"),
            (both, "contact_key_file", short, "64 hexadecimal digits"),
            (server, "contact_key_file", None, "required"),
            (server, "access_log", "some", "off, errors or all"),
            (server, "auth", None, "none"),
            (server, "auth", "trust", "none"),
            (server, "listen", anywhere, anywhere),
            (server, "http_listen", anywhere, anywhere),
            (server, "listen", "nonsense", "nonsense"),
            (server, "listen", "", "no listener"),
            (server, "listen", w.env["GRPC"], "in use"),
            (server, "http_listen", w.env["HTTP"], "cannot listen"),
            (worker, "worker_http_listen", anywhere, anywhere),
            (worker, "worker_http_listen", w.env["WORKER_HTTP"], "in use"),
            (worker, "roles", "payment,nonsense", "nonsense"),
            (worker, "roles", "", "at least one"),
            (worker, "gateway_url", None, "payment role"),
            (worker, "gateway_url", "127.0.0.1:80", "http(s)://host[:port]"),
            (worker, "gateway_url", "file:///etc/passwd", "http(s)://host[:port]"),
            (worker, "gateway_key_file", None, "No such file"),
            (worker, "gateway_key_file", "/dev/null", "empty"),
            (worker, "carrier_url", None, "shipping role"),
            (worker, "carrier_url", "https://", "http(s)://host[:port]"),
            (worker, "carrier_key_file", "/nowhere/key", "/nowhere/key"),
            (worker, "ca_file", "/nowhere/ca.pem", "/nowhere/ca.pem"),
            (worker, "mail_from", "The Shop", "Name <address>"),
            (worker, "smtp_url", None, "notification role"),
            (worker, "smtp_url", "http://127.0.0.1", "smtp(s)://host[:port]"),
            (worker, "smtp_url", "smtp://user:word@127.0.0.1", "smtp(s)://host[:port]"),
            (worker, "smtp_tls", "perhaps", "required, try or none"),
            (worker, "smtp_user", "shop", "TLS only"),
            (worker, "tracking_url", "https://track.example/", "{code}")):
        settings = dict(own(w), listen="127.0.0.1:0", http_listen="127.0.0.1:0")
        if field.startswith(("mail_", "smtp_", "tracking_")):
            settings.update(mail_from="The Shop <orders@shop.example>", smtp_url="smtp://127.0.0.1", smtp_tls="none")
        if value is None:
            settings.pop(field)
        else:
            settings[field] = value
        path = write(w, settings)
        place = "--%s: " % field.replace("_", "-") if value is None else "%s:%d: %s: " % (path, [*settings].index(field) + 1, field)
        for name in names:
            code, out, err = start(w, name, "--config=" + path)
            assert (code, out) == (2, ""), (name, field, value, code, out, err)
            mine = [line for line in err.splitlines() if not line.startswith("time=")]
            assert len(mine) == 1 and mine[0].startswith(place) and why in mine[0], (name, field, value, err)


def arguments_nobody_takes__are_refused(w):
    for name in ("orderd", "orderd-worker"):
        for args, place in ((("frobnicate",), "arguments: "), (("--frobnicate",), "--frobnicate: "),
                            (("--config=/nowhere/x",), "--config: "), (("--drain-s=1", "--drain-s=2"), "--drain-s: ")):
            code, out, err = start(w, name, *args)
            assert (code, out) == (2, "") and err.startswith(place), (name, args, code, out, err)


def printed_settings__are_read_back_as_they_were(w):
    tricky = dict(own(w), ca_file='"/a \\"quoted\\" # name \\\\ with everything"', drain_s="7")
    for name in ("orderd", "orderd-worker"):
        code, first, err = start(w, name, "--config=" + write(w, tricky), "--print-config")
        assert (code, err) == (0, "") and 'ca_file = "/a \\"quoted\\" # name \\\\ with everything"' in first, (first, err)
        assert re.search(r"^drain_s = 7 ", first, re.M), first
        path = write(w, first.splitlines())
        assert start(w, name, "--config=" + path, "--print-config") == (0, first, "")
        assert start(w, name, "--config=" + path, "--check-config") == (0, "the configuration is valid\n", "")


def create_database(w, name):
    # By itself: CREATE DATABASE runs in no transaction, and w.sql() sends one.
    subprocess.run(["/usr/lib/postgresql/15/bin/createdb", "-h", w.env["SOCKETS"], "-U", "postgres", "-O", "orderd_owner", name], check=True)


def database_never_migrated__is_not_served(w):
    create_database(w, "fresh")
    other = "--postgres=host=%s dbname=fresh user=orderd" % w.env["SOCKETS"]
    conf = "--config=" + os.path.join(w.env["DATA"], "orderd.conf")
    for name in ("orderd", "orderd-worker"):
        code, out, err = start(w, name, conf, other, *LISTEN)
        assert (code, out) == (1, "") and "run `orderd migrate` first" in err, (name, code, out, err)


# ---- what it says while it runs

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')


def exposition(text):
    """{name: {labels: value}} of Prometheus' text format 0.0.4, read as strictly as its documentation allows."""
    assert text.endswith("\n")
    kinds, samples, done, family = {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert line.split(" ")[2] not in kinds, line
        elif line.startswith("# TYPE "):
            done.add(family)
            _, _, family, kind = line.split(" ")
            assert family not in kinds and family not in done and kind in ("counter", "gauge", "histogram"), line
            kinds[family] = kind
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            base = re.sub("_(bucket|sum|count)$", "", name) if kinds[family] == "histogram" else name
            assert base == family, line
            assert labels not in samples.setdefault(name, {}), line
            samples[name][labels] = float(value)
    for family, kind in kinds.items():
        if kind == "counter":
            assert family.endswith("_total"), family
        elif kind == "histogram":
            check_histogram(family, samples)
    return samples


def check_histogram(family, samples):
    series = {}
    for labels, value in samples.get(family + "_bucket", {}).items():
        rest, le = re.fullmatch(r'(.*?),?le="([^"]+)"', labels).groups()
        series.setdefault(rest or None, []).append((float(le), value))
    for rest, buckets in series.items():
        assert [b[0] for b in buckets] == sorted(b[0] for b in buckets) and buckets[-1][0] == float("inf"), (family, rest)
        assert [b[1] for b in buckets] == sorted(b[1] for b in buckets), (family, rest)
        assert samples[family + "_count"][rest] == buckets[-1][1], (family, rest)
        assert rest in samples[family + "_sum"], (family, rest)


def metrics__are_prometheus_text_and_count_calls(w):
    def now():
        status, headers, body = http(w, "/metrics")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        return exposition(body)

    w.place()
    before = now()
    w.place()
    w.refusal("OrderService", "PlaceOrder", w.order_request(lines=[("mug", 0)]))
    w.until(lambda: sum(now()["orderd_rpc_in_flight"].values()) == 0, "the end of every call")
    after = now()
    for name, labels, more in (("orderd_rpc_started_total", 'method="place_order"', 2),
                               ("orderd_rpc_handled_total", 'method="place_order",code="OK"', 1),
                               ("orderd_rpc_handled_total", 'method="place_order",code="INVALID_ARGUMENT"', 1),
                               ("orderd_rpc_seconds_count", 'method="place_order"', 2)):
        assert after[name][labels] == before[name].get(labels, 0) + more, (name, labels, before[name], after[name])
    assert after["orderd_queue_up"][None] == 1
    assert all(value >= 1 for value in after["orderd_store_up"].values()), after["orderd_store_up"]
    assert http(w, "/nothing")[0] == 404


class Health:
    """grpc.health.v1 of one server, and what its Watch has told so far."""

    def __init__(self, address):
        from grpc.health.v1 import health_pb2  # made by protoc, see world.generated()
        self.pb = health_pb2
        self.channel = grpc.insecure_channel(address)
        self.told = []
        self.watch = self.channel.unary_stream("/grpc.health.v1.Health/Watch", health_pb2.HealthCheckRequest.SerializeToString,
                                               health_pb2.HealthCheckResponse.FromString)(health_pb2.HealthCheckRequest())
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        try:
            for answer in self.watch:
                self.told.append(self.pb.HealthCheckResponse.ServingStatus.Name(answer.status))
        except grpc.RpcError as e:
            self.told.append(e.code().name)

    def check(self):
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check", self.pb.HealthCheckRequest.SerializeToString,
                                        self.pb.HealthCheckResponse.FromString)
        status = call(self.pb.HealthCheckRequest(service="orderd.v1.OrderService"), timeout=10).status
        return self.pb.HealthCheckResponse.ServingStatus.Name(status)

    def close(self):
        self.watch.cancel()
        self.thread.join()
        self.channel.close()


def is_placed(w):
    try:
        return w.place().order_id != ""
    except grpc.RpcError:
        return False


def database_away__is_said_everywhere_and_taken_back(w):
    health = Health(w.env["GRPC"])
    try:
        w.until(lambda: health.told == ["SERVING"], "the first word of Watch")
        assert http(w, "/healthz")[::2] == (200, "ok\n") and health.check() == "SERVING"
        w.kill("postgres")
        try:
            w.until(lambda: http(w, "/healthz")[0] == 503, "503")
            w.until(lambda: health.check() == "NOT_SERVING", "NOT_SERVING")
            w.until(lambda: health.told == ["SERVING", "NOT_SERVING"], "NOT_SERVING")
            refusal = w.refusal("OrderService", "PlaceOrder", w.order_request(), timeout=5)
            assert refusal[0] in ("UNAVAILABLE", "DEADLINE_EXCEEDED"), refusal
        finally:
            w.again("postgres")
        w.until(lambda: http(w, "/healthz")[0] == 200, "200")
        # A database that starts may drop its first connections: then it is away and back once more.
        w.until(lambda: len(health.told) >= 3 and health.told[-1] == health.check() == "SERVING", "SERVING again")
        assert health.told == ["SERVING", "NOT_SERVING"] * (len(health.told) // 2) + ["SERVING"], health.told
        w.until(lambda: is_placed(w), "an order")
    finally:
        health.close()


def redis_away__is_no_reason_not_to_serve(w):
    w.kill("redis")
    try:
        w.until(lambda: exposition(http(w, "/metrics")[2])["orderd_queue_up"][None] == 0, "queue_up 0")
        assert http(w, "/healthz")[0] == 200
        w.place()
    finally:
        w.again("redis")
    w.until(lambda: exposition(http(w, "/metrics")[2])["orderd_queue_up"][None] == 1, "queue_up 1")


# ---- how it leaves

def terminated_under_load__no_acknowledged_order_is_lost(w):
    customer, acknowledged, refused, guard = str(uuid.uuid4()), {}, [], threading.Lock()
    enough = threading.Event()

    def buy(channel):
        method = channel.unary_unary("/orderd.v1.OrderService/PlaceOrder", w.pb["order_service"].PlaceOrderRequest.SerializeToString,
                                     w.pb["order_service"].PlaceOrderResponse.FromString)
        while True:
            request = w.order_request(customer=customer)
            try:
                order = method(request, timeout=30).order
            except grpc.RpcError as e:
                with guard:
                    refused.append((e.code().name, request))
                return
            with guard:
                acknowledged[request.request_id] = order.order_id
                if len(acknowledged) >= 100:
                    enough.set()

    with Running(w, "orderd", *LISTEN, "--drain-s=30") as server:
        channels = [grpc.insecure_channel(server.addresses["grpc"], options=[("grpc.use_local_subchannel_pool", 1)])
                    for _ in range(8)]
        buyers = [threading.Thread(target=buy, args=(c,)) for c in channels]
        for b in buyers:
            b.start()
        assert enough.wait(60), "100 orders did not come about"
        code = server.end()
        for b in buyers:
            b.join()
        for c in channels:
            c.close()
    assert code == 0
    assert {status for status, _ in refused} == {"UNAVAILABLE"}, refused
    stored = {row[0] for row in w.sql("SELECT id FROM orders WHERE customer = '%s'" % customer)}
    assert set(acknowledged.values()) <= stored
    # Who was refused asks another server with the same request_id: then there is one order of each request.
    for _, request in refused:
        w.call("OrderService", "PlaceOrder", request)
    n = w.number("SELECT count(*) FROM orders WHERE customer = '%s'" % customer)
    assert n == len(acknowledged) + len(refused), (n, len(acknowledged), len(refused))


def restarted_under_orderctl__every_command_is_done(w):
    customer, codes, guard = str(uuid.uuid4()), [], threading.Lock()
    some, restarted = threading.Event(), threading.Event()

    def buy(address):
        env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": address}
        after = 0
        while after < 2:  # and two more when the other server is there
            after += restarted.is_set()
            done = subprocess.run([program(w, "orderctl"), "place", "--customer", customer, "--payment-method", "pm_card_visa",
                                   "--name", "N", "--street", "S", "--city", "C", "--postal-code", "P", "--country", "DE",
                                   "--deadline", "20000", "mug=1"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            with guard:
                codes.append((done.returncode, done.stderr))
                if len(codes) >= 10:
                    some.set()

    with Running(w, "orderd", *LISTEN) as first:
        address = first.addresses["grpc"]
        buyers = [threading.Thread(target=buy, args=(address,)) for _ in range(4)]
        for b in buyers:
            b.start()
        try:
            assert some.wait(60), codes
            assert first.end() == 0
            second = Running(w, "orderd", "--listen=" + address, "--http-listen=127.0.0.1:0")
        finally:
            restarted.set()
            for b in buyers:
                b.join()
    with second:
        assert second.end() == 0
    assert {c for c in codes} == {(0, "")}, codes
    assert w.number("SELECT count(*) FROM orders WHERE customer = '%s'" % customer) == len(codes)


def terminated_worker__finishes_what_it_does_and_charges_nobody_twice(w):
    with Running(w, "orderd-worker") as worker:
        w.fault(path="/v1/payment_intents", fault="slow", count=10, ms=500)
        placed = [w.place(customer="leaving").order_id for _ in range(40)]
        code = worker.end()
    assert code == 0
    for order in placed:
        w.until(lambda: w.state(order) == "completed", "delivery")
        assert len(w.charges("authorize", order)) == len(w.charges("capture", order)) == 1


def terminated_without_its_database__it_leaves_all_the_same(w):
    with Running(w, "orderd", *LISTEN) as server, Running(w, "orderd-worker") as worker:
        w.kill("postgres")
        try:
            assert (server.end(), worker.end()) == (0, 0)
        finally:
            w.again("postgres")
    w.until(lambda: http(w, "/healthz")[0] == 200, "200")


def at_the_end__the_books_are_right(w):
    w.until(lambda: w.number("SELECT count(*) FROM orders WHERE state IN ('pending', 'confirmed', 'cancelling')") == 0, "the end")
    w.audit()


run(mistake_in_the_file__is_named_with_its_line, setting_that_cannot_work__is_named_with_its_reason,
    arguments_nobody_takes__are_refused, printed_settings__are_read_back_as_they_were, database_never_migrated__is_not_served,
    metrics__are_prometheus_text_and_count_calls, database_away__is_said_everywhere_and_taken_back,
    redis_away__is_no_reason_not_to_serve, terminated_under_load__no_acknowledged_order_is_lost,
    restarted_under_orderctl__every_command_is_done, terminated_worker__finishes_what_it_does_and_charges_nobody_twice, terminated_without_its_database__it_leaves_all_the_same,
    at_the_end__the_books_are_right)
