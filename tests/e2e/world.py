"""A private orderd world for end-to-end tests: PostgreSQL, Redis, simulator, orderd and a worker of their own,
spoken to with python3-grpcio, an implementation of gRPC that is not ours.

    with World() as w:
        order = w.place(lines=[("mug", 2)])
        w.until(lambda: w.state(order.order_id) == "completed")

Nothing sleeps to be in time: until() asks the real thing again until it is so, or fails at its deadline.
"""
import faulthandler
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
import uuid

import grpc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ORDERD_BUILD", os.path.join(ROOT, "build", "dev"))
SERVERS = os.path.join(ROOT, "tests", "support", "servers.sh")
PATIENCE_S = 60  # sanitizers on a busy two-core machine

FAST = """
sweep_ms = 200
track_poll_ms = 200
lease_s = 2
backoff_base_ms = 100
backoff_cap_s = 1
http_timeout_ms = 3000
queue_wait_ms = 10000
"""


def generated(scratch):
    """orderd/v1/*.proto as Python modules, made by protoc into a scratch directory."""
    out = os.path.join(scratch, "py")
    os.makedirs(out)
    api = os.path.join(ROOT, "api")
    protos = sorted("orderd/v1/" + f for f in os.listdir(os.path.join(api, "orderd/v1")) if f.endswith(".proto"))
    extra = ["grpc/health/v1/health.proto", "google/rpc/status.proto", "google/rpc/error_details.proto", "google/rpc/code.proto"]
    subprocess.run(["protoc", "-I", api, "-I", "/usr/include", "--python_out", out] + protos + extra, check=True)
    sys.path.insert(0, out)
    # grpc/ and google/ are packages of others as well: let them look here too.
    import google
    import google.protobuf  # noqa: F401
    google.__path__.append(os.path.join(out, "google"))
    grpc.__path__.append(os.path.join(out, "grpc"))
    names = [os.path.basename(proto)[:-len(".proto")] for proto in protos]
    return {name: importlib.import_module("orderd.v1." + name + "_pb2") for name in names}


def details_of(error):
    """google.rpc.Status from a failed call: (reason, facts, {field: why})."""
    status = importlib.import_module("google.rpc.status_pb2").Status()
    kinds = importlib.import_module("google.rpc.error_details_pb2")
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    reason, facts, fields = "", {}, {}
    for any_ in status.details:
        info, bad = kinds.ErrorInfo(), kinds.BadRequest()
        if any_.Unpack(info):
            reason, facts = info.reason, dict(info.metadata)
        elif any_.Unpack(bad):
            fields = {v.field: v.description for v in bad.field_violations}
    return reason, facts, fields


def whole_lines(path):
    """Of a file that others may be writing: a line has been written when it has ended."""
    with open(path, "rb") as f:
        return [line.decode() for line in f.read().split(b"\n")[:-1]]


def objects_in(path):
    return [json.loads(line) for line in whole_lines(path) if line.startswith("{")]


class World:
    def __init__(self, config="", sim_args="--scan-ms 100", env=None):
        """config: lines of a configuration file; env: what servers.sh understands besides."""
        self.scratch = tempfile.mkdtemp(prefix="orderd-e2e.", dir="/var/tmp")
        os.chmod(self.scratch, 0o755)
        self.extra = os.path.join(self.scratch, "extra.conf")
        with open(self.extra, "w") as f:
            own = {line.split(" = ")[0] for line in config.splitlines()}
            f.write("".join(line for line in FAST.splitlines(True) if line.split(" = ")[0] not in own) + config)
        self.sim_args, self.more_env = sim_args, env or {}
        self.pb = generated(self.scratch)

    def __enter__(self):
        try:
            self.servers("start", self.dir, BUILD)
            self.read_env()
            self.stock_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # who is impatient twice would leave servers behind
        if kind is not None:
            for name in ("orderd", "worker", "sim"):
                self.show_log(name)
        self.servers("erase", self.dir, check=False)
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def dir(self):
        return os.path.join(self.scratch, "w")

    def servers(self, *args, check=True):
        env = dict(os.environ, SERVERS_EXTRA_CONFIG=self.extra, SERVERS_SIM_ARGS=self.sim_args, **self.more_env)
        done = subprocess.run(["bash", SERVERS, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check and done.returncode != 0:
            raise AssertionError("servers.sh %s: %s" % (" ".join(args), done.stdout))
        return done

    def read_env(self):
        names = "DATA SOCKETS SIM_URL GRPC GRPCS EDGE HTTP WORKER_HTTP WEBHOOKS MAILS"
        text = subprocess.run(["bash", "-c", "source %s/env; for v in %s; do echo $v=${!v}; done" % (self.dir, names)],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        self.env = dict(line.split("=", 1) for line in text.splitlines())
        self.channel = grpc.insecure_channel(self.env["GRPC"])
        self.metadata = []
        if self.env["EDGE"]:
            with open(os.path.join(self.env["DATA"], "edge", "root.key")) as f:
                self.metadata = [("authorization", "Bearer " + f.read().strip())]

    def show_log(self, name):
        path = os.path.join(self.dir, "data", "log", name + ".log")
        if os.path.exists(path):
            with open(path, errors="replace") as f:
                print("---- the end of %s" % name, *f.readlines()[-25:], sep="", file=sys.stderr)

    # ---- processes

    def kill(self, name, with_signal="KILL"):
        self.servers("kill", self.dir, name, with_signal)

    def again(self, name):
        self.servers("again", self.dir, name)
        self.read_env()

    # ---- calls

    def call(self, service, method, request, timeout=20):
        module = self.pb[service.replace("Service", "_service").lower()]  # OrderService: order_service.proto
        answer = getattr(module, method + "Response")
        return self.channel.unary_unary("/orderd.v1.%s/%s" % (service, method), type(request).SerializeToString,
                                        answer.FromString)(request, metadata=self.metadata, timeout=timeout)

    def refusal(self, *args, **kwargs):
        """The call must fail: (status name, reason, facts, fields)."""
        try:
            self.call(*args, **kwargs)
        except grpc.RpcError as e:
            return (e.code().name,) + details_of(e)
        raise AssertionError("%s was not refused" % (args[1],))

    def order_request(self, lines=(("mug", 1),), card="pm_card_visa", **fields):
        svc, place = self.pb["order_service"], self.pb["place"]
        fields.setdefault("request_id", str(uuid.uuid4()))
        fields.setdefault("customer", "customer-1")
        fields.setdefault("ship_to", place.Address(name="Ada Example", street="Ring 1", city="Hamburg", postal_code="20095",
                                                   country_code="DE"))
        return svc.PlaceOrderRequest(payment_method=card, **fields,
                                     lines=[svc.NewOrderLine(sku=s, quantity=q) for s, q in lines])

    def place(self, *args, **kwargs):
        return self.call("OrderService", "PlaceOrder", self.order_request(*args, **kwargs)).order

    def get(self, order_id, with_events=False):
        return self.call("OrderService", "GetOrder",
                         self.pb["order_service"].GetOrderRequest(order_id=order_id, with_events=with_events))

    def cancel(self, order_id, **fields):
        fields.setdefault("request_id", str(uuid.uuid4()))
        return self.call("OrderService", "CancelOrder",
                         self.pb["order_service"].CancelOrderRequest(order_id=order_id, **fields)).order

    def state(self, order_id):
        status = self.call("OrderService", "GetOrderStatus", self.pb["order_service"].GetOrderStatusRequest(order_id=order_id))
        return self.pb["order"].OrderState.Name(status.state).replace("ORDER_STATE_", "").lower()

    def stock_up(self):
        inv, money, place = self.pb["inventory_service"], self.pb["money"], self.pb["place"]
        for code, priority in (("BER1", 10), ("MUC1", 20)):
            self.call("InventoryService", "CreateLocation", inv.CreateLocationRequest(location=inv.Location(
                code=code, priority=priority, address=place.Address(name=code, street="Hafenweg 1", city="Berlin",
                                                                    postal_code="10115", country_code="DE"))))
        items = [("mug", 1290, 340), ("lamp", 4950, 1200), ("unique", 99900, 5000), ("bulk", 100, 10)]
        self.call("InventoryService", "UpsertItems", inv.UpsertItemsRequest(items=[
            inv.Item(sku=s, title="A " + s, unit_price=money.Money(currency_code="EUR", amount_minor=p), weight_grams=g)
            for s, p, g in items]))
        self.receive("BER1", mug=1000, lamp=50, unique=1)
        self.receive("MUC1", mug=500, lamp=50)

    def receive(self, location, request_id=None, **quantities):
        inv = self.pb["inventory_service"]
        self.call("InventoryService", "ReceiveStock", inv.ReceiveStockRequest(
            request_id=request_id or str(uuid.uuid4()), location=location,
            lines=[inv.StockLine(sku=s, quantity=q) for s, q in quantities.items()]))

    # ---- looking, past orderd

    def sql(self, query):
        out = subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c",
                              "SET search_path = orderd, public; " + query,
                              "host=%s dbname=orderd user=postgres" % self.env["SOCKETS"]],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=2 * PATIENCE_S)
        if out.returncode != 0:
            raise AssertionError(out.stderr)
        return [tuple(line.split("\t")) for line in out.stdout.splitlines()]

    def number(self, query):
        return int(self.sql(query)[0][0])

    def redis(self, *command):
        return subprocess.run(["redis-cli", "-s", self.env["SOCKETS"] + "/redis.sock", *command], stdout=subprocess.PIPE,
                              text=True, check=True, timeout=PATIENCE_S).stdout

    def charges(self, kind, order_id=None):
        """Lines of this kind in the simulator's own journal."""
        facts = objects_in(os.path.join(self.env["DATA"], "sim", "charges.jsonl"))
        return [x for x in facts if x["kind"] == kind and order_id in (None, x.get("order"))]

    def fault(self, **rule):
        urllib.request.urlopen(urllib.request.Request(self.env["SIM_URL"] + "/_sim/faults", json.dumps(rule).encode(),
                                                      {"Content-Type": "application/json"}), timeout=10).read()

    def until(self, condition, what="it", patience_s=PATIENCE_S):
        end = time.monotonic() + patience_s
        pause = threading.Event()
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("%s did not come about in %d s" % (what, patience_s))
            pause.wait(0.05)

    def audit(self):
        """Every audit of db/audit answers nothing."""
        folder = os.path.join(ROOT, "db", "audit")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".sql"):
                with open(os.path.join(folder, name)) as f:
                    rows = self.sql(f.read().strip().rstrip(";"))
                assert rows == [], "%s: %s" % (name, rows[:3])


def interrupted(*_):
    raise KeyboardInterrupt


class OutOfTime(Exception):
    pass


def out_of_time(*_):
    raise OutOfTime("the stories have had %s s: this one hangs, or all of them are slow" % os.environ["ORDERD_STORIES_S"])


def run(*stories, kind=World, **world):
    """Runs each story(world) in one kind(**world), in order; prints what ctest and people read.  Names on the command line:
    those stories alone.  ORDERD_STORIES_S: how long they may take, so that one which hangs is told of by its name and its
    servers are stopped, before ctest's deadline ends all that at once."""
    passed, failed, wanted = 0, 0, set(sys.argv[1:])
    stories = [story for story in stories if not wanted or story.__name__ in wanted]
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(int(os.environ.get("ORDERD_STORIES_S", 0)))
    with kind(**world) as w:
        for story in stories:
            try:
                story(w)
                passed += 1
                print("ok   ", story.__name__, flush=True)
            except Exception as e:
                failed += 1
                print("FAIL ", story.__name__, flush=True)
                traceback.print_exc()
                if isinstance(e, OutOfTime):
                    break
        signal.alarm(0)
        if failed:
            for name in ("orderd", "worker", "sim"):
                w.show_log(name)
    print("%d passed, %d failed" % (passed, failed), flush=True)
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True)  # a thread that a story left behind keeps nobody waiting
    sys.exit(1 if failed else 0)
