"""More is asked of orderd than it can do, or of a database that has stopped: who is refused, what they are told, and that what
was acknowledged is there."""
import json
import os
import signal
import subprocess
import tempfile

import grpc

from programs import http
from world import ROOT, details_of, run, whole_lines

CALLER = 12  # calls at work
WAVE, WAVES = 40, 4
DEADLINE_S = 3

rules = tempfile.NamedTemporaryFile("w", suffix=".rates")
rules.write("# tenant method rate burst\n* /orderd.v1.OrderService/ListOrders 4/s 1\n")
rules.flush()
os.chmod(rules.name, 0o644)

CONFIG = """max_in_flight = 60
max_in_flight_tenant = 50
max_in_flight_caller = %d
lane_bound = 4
queue_wait_ms = 2000
rate_limits_file = %s
""" % (CALLER, rules.name)


def sample(w, name):
    found = [line for line in http(w, "/metrics")[2].splitlines() if line.startswith(name + " ")]
    return float(found[0].split()[-1]) if found else 0


def shed(w, cause):
    return sample(w, 'orderd_rpc_shed_total{cause="%s"}' % cause)


def details(w, error):
    """{name: message} of every detail."""
    from google.rpc import error_details_pb2, status_pb2
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    return {d.type_url.rsplit(".", 1)[1]: getattr(error_details_pb2, d.type_url.rsplit(".", 1)[1]).FromString(d.value)
            for d in status.details}


def says_when_to_return(w, error):
    wait = int(dict(error.trailing_metadata())["grpc-retry-pushback-ms"])
    assert details(w, error)["RetryInfo"].retry_delay.ToMilliseconds() == wait, error
    assert 100 <= wait <= 20000, wait
    return details_of(error)[0]


# ---- a database that has stopped

class Stopped:
    """PostgreSQL's processes, all of them: they keep their connections and say nothing."""

    def __init__(self, w):
        with open(os.path.join(w.env["DATA"], "run", "postgres.pid")) as f:
            parent = f.read().split()[0]
        self.pids = [int(parent)] + [int(p) for p in filter(str.isdigit, os.listdir("/proc")) if self.parent_of(p) == parent]

    @staticmethod
    def parent_of(pid):
        try:
            with open("/proc/%s/stat" % pid) as f:
                return f.read().rsplit(") ", 1)[1].split()[1]
        except OSError:
            return None

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


def start(w, request, timeout=DEADLINE_S):
    svc = w.pb["order_service"]
    return w.channel.unary_unary("/orderd.v1.OrderService/PlaceOrder", svc.PlaceOrderRequest.SerializeToString,
                                 svc.PlaceOrderResponse.FromString).future(request, timeout=timeout)


def memory_mib(w):
    with open(os.path.join(w.env["DATA"], "run", "orderd.pid")) as f:
        pid = f.read().split()[0]
    with open("/proc/%s/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024


def database_that_stops__refusals_say_when_to_return_and_nothing_is_lost(w):
    asked, acknowledged, reasons, memory = [], {}, {}, []
    w.place()
    with Stopped(w):
        for _ in range(WAVES):
            requests = [w.order_request(customer="wave") for _ in range(WAVE)]
            asked += requests
            for request, call in [(r, start(w, r)) for r in requests]:
                error = call.exception()
                if error is None:
                    acknowledged[request.request_id] = call.result().order.order_id
                    continue
                reason = says_when_to_return(w, error) if error.code() in (
                    grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE) else error.code().name
                reasons[reason] = reasons.get(reason, 0) + 1
            # A caller has its refusal a moment before its call is forgotten.
            w.until(lambda: sample(w, 'orderd_rpc_in_flight{class="work"}') <= CALLER, "that refused calls are forgotten")
            memory.append(memory_mib(w))
        assert set(reasons) <= {"OVERLOADED", "STORE_FULL", "STORE_LATE", "STORE_UNAVAILABLE", "DEADLINE_EXCEEDED"}, reasons
        assert reasons.get("OVERLOADED", 0) + reasons.get("STORE_FULL", 0) + reasons.get("STORE_LATE", 0) > WAVE, reasons
        assert memory[-1] - memory[0] < 128, memory  # MiB; sanitizers keep what was freed
        # Those who have gone hold nothing up, although nothing comes back yet.
        for lane in ("read", "order"):
            w.until(lambda lane=lane: sample(w, 'orderd_store_waiting{lane="%s"}' % lane) == 0, "that lane %s forgets" % lane)
    w.until(lambda: works_again(w), "orderd at work")
    orders = {r.request_id: once_more(w, r) for r in asked}
    assert {r: orders[r] for r in acknowledged} == acknowledged, (acknowledged, orders)
    stored = w.number("SELECT count(*) FROM orders WHERE customer = 'wave'")
    assert len(set(orders.values())) == len(asked) == stored, (len(set(orders.values())), len(asked), stored)


def works_again(w):
    try:
        return w.place().order_id != ""
    except grpc.RpcError:
        return False


def once_more(w, request):
    """The same request_id again, until there is an answer."""
    answer = []

    def is_answered():
        try:
            answer.append(w.call("OrderService", "PlaceOrder", request).order.order_id)
            return True
        except grpc.RpcError as e:
            assert e.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), e
            return False
    w.until(is_answered, "an answer")
    return answer[0]


class Held:
    """Orders can be read and quoted, and none can be stored."""

    def __init__(self, w):
        self.psql = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At", "host=%s dbname=orderd user=postgres" % w.env["SOCKETS"]],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.psql.stdin.write("BEGIN; LOCK TABLE orderd.orders IN EXCLUSIVE MODE; SELECT 'held';\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == "held\n"

    def __exit__(self, *_):
        self.psql.communicate("COMMIT;\n", timeout=60)


def while_orders_cannot_be_stored__nobody_is_asked_for_prices_in_vain(w):
    asked = []

    def is_late():
        """One more who has time, until what waits has waited too long."""
        asked.append(start(w, w.order_request(customer="held"), 30))
        return "STORE_LATE" in [details_of(c.exception())[0] for c in asked if c.done() and c.exception() is not None]
    def late():
        return [line for line in whole_lines(os.path.join(w.env["DATA"], "log", "orderd.log"))
                if "method=place_order code=STORE_LATE" in line]
    with Held(w):
        w.until(is_late, "a lane that is late")
        w.until(late, "its line")
    assert any("step=quote" in line for line in late()), late()
    w.until(lambda: works_again(w), "orderd at work")
    for call in asked:
        call.exception()


# ---- clients that are told when to return

def limited_calls(w):
    return w.pb["order_service"].ListOrdersRequest(page_size=1)


def caller_over_its_rate__is_told_the_moment_it_may_return(w):
    w.until(lambda: sample(w, 'orderd_rpc_in_flight{class="work"}') == 0, "the end of every call")
    channel = grpc.insecure_channel(w.env["GRPC"], options=[("grpc.enable_retries", 0)])
    svc = w.pb["order_service"]
    call = channel.unary_unary("/orderd.v1.OrderService/ListOrders", svc.ListOrdersRequest.SerializeToString,
                               svc.ListOrdersResponse.FromString)
    calls = [call.future(limited_calls(w), timeout=20) for _ in range(CALLER - 2)]
    errors = [c.exception() for c in calls if c.exception() is not None]
    assert errors and {e.code() for e in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED}, errors
    told = details(w, errors[0])
    assert told["ErrorInfo"].reason == "RATE_LIMITED"
    assert [(v.subject, v.description) for v in told["QuotaFailure"].violations] == [
        ("tenant:1", "/orderd.v1.OrderService/ListOrders: 4 in a second, 1 at once")]
    wait = told["RetryInfo"].retry_delay.ToMilliseconds()
    assert 0 < wait <= 250 and dict(errors[0].trailing_metadata())["grpc-retry-pushback-ms"] == str(wait), wait
    assert shed(w, "rate") == len(errors)
    page = json.loads(http(w, "/show/rates?format=json")[2])
    assert [r["method"] for r in page["rows"]] in (["list_orders"], []), page
    channel.close()


def official_client_with_our_service_config__is_through_in_the_end(w):
    with open(os.path.join(ROOT, "clients", "service_config.json")) as f:
        channel = grpc.insecure_channel(w.env["GRPC"], options=[("grpc.service_config", f.read())])
    svc = w.pb["order_service"]
    call = channel.unary_unary("/orderd.v1.OrderService/ListOrders", svc.ListOrdersRequest.SerializeToString,
                               svc.ListOrdersResponse.FromString)
    before = shed(w, "rate")

    def went_through_a_refusal():
        call(limited_calls(w))  # the file's retryThrottling lets few of them fail
        return shed(w, "rate") > before
    w.until(went_through_a_refusal, "a call that came too early")
    channel.close()


def our_own_client__is_through_in_the_end(w):
    before = shed(w, "rate")
    program = os.path.join(w.env["DATA"], "bin", "orderctl")

    def went_through_a_refusal():
        askers = [subprocess.Popen([program, "--server", w.env["GRPC"], "--deadline", "30000", "list"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
        told = [a.communicate(timeout=60) + (a.returncode,) for a in askers]
        assert [code for _, _, code in told] == [0] * 6, told
        return shed(w, "rate") > before  # a machine so slow that none came too early has them ask again
    w.until(went_through_a_refusal, "one that came too early")


def at_the_end__the_books_are_right(w):
    w.audit()


run(database_that_stops__refusals_say_when_to_return_and_nothing_is_lost,
    while_orders_cannot_be_stored__nobody_is_asked_for_prices_in_vain, caller_over_its_rate__is_told_the_moment_it_may_return,
    official_client_with_our_service_config__is_through_in_the_end, our_own_client__is_through_in_the_end,
    at_the_end__the_books_are_right, config=CONFIG)
