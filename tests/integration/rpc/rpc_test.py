"""The gRPC runtime as clients of another make see it: Python's gRPC against rpc_test_server.

usage: rpc_test.py RPC_TEST_SERVER PYTHON_PROTOS [unittest arguments]
Every server is private, on free loopback ports or a unix socket, and is stopped by its pid.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import google
import grpc

SERVER, PROTOS = sys.argv[1:3]
sys.path.insert(0, PROTOS)
for package in (google, grpc):  # the generated google.rpc and grpc.health lie beside the installed packages
    package.__path__ = list(package.__path__) + [os.path.join(PROTOS, package.__name__)]

import echo_pb2 as pb  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from grpc.health.v1 import health_pb2  # noqa: E402
from grpc.reflection.v1 import reflection_pb2  # noqa: E402
from grpc.reflection.v1alpha import reflection_pb2 as reflection_alpha_pb2  # noqa: E402

LIMIT_S = 20  # no call takes longer, on any machine
PATIENCE_S = 60  # until a server has ended, or it has come to pass
ECHO = "/orderd.test.v1.EchoService/Echo"
NUMBERS = "/orderd.test.v1.EchoService/Numbers"
Code = grpc.StatusCode


class Server:
    def __init__(self, *settings):
        self.stderr = tempfile.TemporaryFile("w+")
        defaults = ("--auth=none", "--listen=127.0.0.1:0", "--http-listen=127.0.0.1:0", "--drain-s=5")
        given = {s.split("=", 1)[0] for s in settings}
        argv = [SERVER, *settings, *(d for d in defaults if d.split("=", 1)[0] not in given)]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line == "ready\n":
                break
        self.addresses = [line.split("=", 1)[1] for line in self.lines if line.startswith("listening grpc=")]
        self.http = next((line.split("=", 1)[1] for line in self.lines if line.startswith("listening http=")), None)
        self.address = self.addresses[0] if self.addresses else None

    def signal(self, number):
        self.process.send_signal(number)

    def log(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def wait(self):
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def channel(self, **options):
        return grpc.insecure_channel(self.address, options=list(options.items()))

    def get(self, path, **more):
        request = urllib.request.Request(f"http://{self.http}{path}", **more)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode()

    def metric(self, sample):
        found = re.search(r"^%s ([0-9.e+]+)$" % re.escape(sample), self.get("/metrics")[1], re.M)
        return float(found.group(1)) if found else 0

    def view(self, name):
        return json.loads(self.get("/show/%s?format=json" % name)[1])["rows"]


def eventually(condition):
    limit = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError("it did not come to pass")
        time.sleep(0.02)


def raw(channel, path, kind="unary_unary"):
    return getattr(channel, kind)(path, request_serializer=lambda b: b, response_deserializer=lambda b: b)


def echo(channel):
    return channel.unary_unary(ECHO, pb.EchoRequest.SerializeToString, pb.EchoResponse.FromString)


def numbers(channel):
    return channel.unary_stream(NUMBERS, pb.NumbersRequest.SerializeToString, pb.NumbersResponse.FromString)


def health(channel, what="Check", kind="unary_unary"):
    return getattr(channel, kind)("/grpc.health.v1.Health/" + what, health_pb2.HealthCheckRequest.SerializeToString,
                                  health_pb2.HealthCheckResponse.FromString)


def details(error):
    """{message name: message} of grpc-status-details-bin."""
    trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(trailer)
    assert status.code == error.code().value[0] and status.message == error.details()
    found = {}
    for any_ in status.details:
        name = any_.type_url.rsplit(".", 1)[1]
        found[name] = getattr(error_details_pb2, name).FromString(any_.value)
        assert any_.type_url == "type.googleapis.com/google.rpc." + name
    return found


def pushback(error):
    return int(dict(error.trailing_metadata())["grpc-retry-pushback-ms"])


class Case(unittest.TestCase):
    settings = ()

    def setUp(self):
        self.server = Server(*self.settings)
        self.channel = self.server.channel()

    def tearDown(self):
        self.channel.close()
        code = self.server.stop()
        log = self.server.log()
        self.server.stderr.close()
        self.assertEqual(code, 0, log)

    def refused(self, code, call, *args, **more):
        more.setdefault("timeout", LIMIT_S)
        with self.assertRaises(grpc.RpcError) as caught:
            call(*args, **more)
        self.assertEqual(caught.exception.code(), code, caught.exception)
        return caught.exception


class Answers(Case):
    def test_echo_returns_what_was_sent_and_who_sent_it(self):
        rq = pb.EchoRequest(text="grüße\n", lines=[pb.Line(sku="a", colour=1)], blob=b"\0\xff", number=3, tags=["x", ""])
        rs = echo(self.channel)(rq, timeout=LIMIT_S, metadata=[("traceparent", "00-abc-01")])
        self.assertEqual((rs.text, rs.blob, rs.tenant, rs.trace), ("grüße\n", b"\0\xff", 1, "00-abc-01"))

    def test_an_empty_message_is_a_message(self):
        self.assertEqual(raw(self.channel, ECHO)(b"", timeout=LIMIT_S)[:2], b"\x18\x01")

    def test_40_calls_at_once_on_16_slots_are_all_answered(self):
        calls = [echo(self.channel).future(pb.EchoRequest(text=str(i), delay_ms=50), timeout=LIMIT_S) for i in range(40)]
        self.assertEqual([c.result().text for c in calls], [str(i) for i in range(40)])

    def test_unknown_method_is_unimplemented_at_once(self):
        for path in ("/orderd.test.v1.EchoService/Nothing", "/no.such.Service/At", "/x"):
            e = self.refused(Code.UNIMPLEMENTED, raw(self.channel, path), b"")
            self.assertEqual(details(e)["ErrorInfo"].reason, "UNIMPLEMENTED")

    def test_unknown_methods_do_not_use_up_the_slots(self):
        calls = [raw(self.channel, "/no.such/Method").future(b"", timeout=LIMIT_S) for _ in range(200)]
        self.assertEqual({c.code() for c in calls}, {Code.UNIMPLEMENTED})
        self.assertEqual(echo(self.channel)(pb.EchoRequest(text="on"), timeout=LIMIT_S).text, "on")

    def test_error_carries_reason_facts_resource_and_precondition(self):
        e = self.refused(Code.FAILED_PRECONDITION, echo(self.channel), pb.EchoRequest(fail="OUT_OF_STOCK"))
        d = details(e)
        self.assertEqual((d["ErrorInfo"].reason, d["ErrorInfo"].domain), ("OUT_OF_STOCK", "orderd"))
        self.assertEqual(dict(d["ErrorInfo"].metadata), {"left": "3"})
        self.assertEqual((d["ResourceInfo"].resource_type, d["ResourceInfo"].resource_name),
                         ("orderd.test.v1.Thing", "things/7"))
        self.assertEqual(d["PreconditionFailure"].violations[0].subject, "item 7")
        self.assertEqual(e.details(), 'failed as "OUT_OF_STOCK"')
        self.assertNotIn("RetryInfo", d)
        self.assertNotIn("grpc-retry-pushback-ms", dict(e.trailing_metadata()))

    def test_error_of_load_says_when_to_retry(self):
        e = self.refused(Code.UNAVAILABLE, echo(self.channel), pb.EchoRequest(fail="STORE_UNAVAILABLE"))
        pause = int(dict(e.trailing_metadata())["grpc-retry-pushback-ms"])
        self.assertTrue(100 <= pause <= 1000)
        self.assertEqual(details(e)["RetryInfo"].retry_delay.ToMilliseconds(), pause)

    def test_many_violations_are_cut_to_what_fits(self):
        e = self.refused(Code.INVALID_ARGUMENT, echo(self.channel), pb.EchoRequest(fail="INVALID_ARGUMENT"))
        violations = details(e)["BadRequest"].field_violations
        self.assertEqual(len(violations), 32)
        self.assertEqual((violations[3].field, violations[3].description), ("lines[3].sku", "as you asked"))


class Requests(Case):
    settings = ("--max-request-kib=64", "--arena-kib=64")

    def violations(self, data):
        e = self.refused(Code.INVALID_ARGUMENT, raw(self.channel, ECHO), data)
        return {v.field: v.description for v in details(e)["BadRequest"].field_violations}

    def test_garbage_is_invalid(self):
        for garbage in (b"\xff", b"\x0a\x05ab", b"\x0b", os.urandom(7) + b"\xff" * 12):
            self.refused(Code.INVALID_ARGUMENT, raw(self.channel, ECHO), garbage)

    def test_half_close_without_a_message_is_invalid(self):
        self.refused(Code.INVALID_ARGUMENT, raw(self.channel, ECHO, "stream_unary"), iter(()))

    def test_message_over_the_limit_is_refused(self):
        e = self.refused(Code.RESOURCE_EXHAUSTED, echo(self.channel), pb.EchoRequest(blob=bytes(70000)))
        self.assertIn("larger than max", e.details())

    def test_message_that_unpacks_into_too_much_is_refused(self):
        """60 KB of empty lines would be 2.7 MB; all of it must fit in 64 times arena_kib, so this fits ..."""
        rq = pb.EchoRequest(lines=[pb.Line()] * 30000)
        self.assertEqual(echo(self.channel)(rq, timeout=LIMIT_S).text, "")

    def test_gzip_is_refused_before_it_is_inflated(self):
        self.refused(Code.UNIMPLEMENTED, echo(self.channel), pb.EchoRequest(text="x" * 500),
                     compression=grpc.Compression.Gzip)

    def test_large_headers_within_64_kib_do_not_end_the_connection(self):
        rs = echo(self.channel)(pb.EchoRequest(text="a"), timeout=LIMIT_S, metadata=[("x", "y" * 20000)])
        self.assertEqual(rs.text, "a")

    def test_bad_text_is_named_by_its_path(self):
        line = lambda sku: pb.Line(sku="X" * len(sku)).SerializeToString().replace(b"X" * len(sku), sku)  # noqa: E731
        field = lambda n, data: bytes([n << 3 | 2, len(data)]) + data  # noqa: E731
        data = field(1, b"ok") + field(2, line(b"fine")) + field(2, line(b"\xc0\x80")) + field(4, b"a\0b")
        data += field(6, b"good") + field(6, b"\xed\xa0\x80")
        self.assertEqual(set(self.violations(data)), {"lines[1].sku", "name", "tags[1]"})
        self.assertEqual(set(self.violations(pb.EchoRequest(text="\x1b[2J").SerializeToString())), {"text"})

    def test_overlong_text_is_named_by_its_path(self):
        echo(self.channel)(pb.EchoRequest(text="x" * 1024), timeout=LIMIT_S)
        rq = pb.EchoRequest(text="x" * 1025, lines=[pb.Line(), pb.Line(sku="ü" * 600)])
        found = self.violations(rq.SerializeToString())
        self.assertEqual(set(found), {"text", "lines[1].sku"})
        self.assertIn("1024", found["text"])

    def test_unknown_enum_value_is_named_by_its_path(self):
        self.assertEqual(set(self.violations(pb.EchoRequest(lines=[pb.Line(colour=9)]).SerializeToString())),
                         {"lines[0].colour"})

    def test_bytes_are_not_text(self):
        self.assertEqual(echo(self.channel)(pb.EchoRequest(blob=b"\xff\0" * 600), timeout=LIMIT_S).blob, b"\xff\0" * 600)

    def test_unknown_fields_are_ignored(self):
        self.assertEqual(raw(self.channel, ECHO)(b"\x0a\x01a\xf8\x07\x01", timeout=LIMIT_S)[:3], b"\x0a\x01a")


class Budget(Case):
    settings = ("--max-request-kib=512", "--arena-kib=64")

    def test_message_beyond_a_flows_memory_is_too_large(self):
        rq = pb.EchoRequest(lines=[pb.Line()] * 260000)
        e = self.refused(Code.RESOURCE_EXHAUSTED, echo(self.channel), rq)
        self.assertEqual(details(e)["ErrorInfo"].reason, "TOO_LARGE")

    def test_large_calls_together_have_a_bound_and_give_it_back(self):
        rq = pb.EchoRequest(blob=bytes(100000), delay_ms=700)
        calls = [echo(self.channel).future(rq, timeout=LIMIT_S) for _ in range(24)]
        codes = [c.code() for c in calls]
        self.assertEqual(codes.count(Code.OK) + codes.count(Code.RESOURCE_EXHAUSTED), 24)
        self.assertIn(codes.count(Code.OK), (16, 17))
        eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 0)
        self.assertEqual(len(echo(self.channel)(rq, timeout=LIMIT_S).blob), 100000)

    def test_answer_over_4_mib_is_too_large(self):
        e = self.refused(Code.RESOURCE_EXHAUSTED, echo(self.channel), pb.EchoRequest(answer_bytes=(4 << 20) + 1))
        self.assertEqual(details(e)["ErrorInfo"].reason, "TOO_LARGE")


class Load(Case):
    settings = ("--max-in-flight=5", "--max-streams=100")

    def test_calls_over_the_bound_are_shed_and_told_when_to_return(self):
        # All of them have come before the first is answered.
        calls = [echo(self.channel).future(pb.EchoRequest(delay_ms=4000), timeout=LIMIT_S) for _ in range(60)]
        codes = [c.code() for c in calls]
        self.assertEqual((codes.count(Code.OK), codes.count(Code.RESOURCE_EXHAUSTED)), (5, 55))
        shed = next(c for c in calls if c.code() == Code.RESOURCE_EXHAUSTED)
        d = details(shed)
        self.assertEqual(d["ErrorInfo"].reason, "OVERLOADED")
        self.assertIn("RetryInfo", d)
        self.assertTrue(int(dict(shed.trailing_metadata())["grpc-retry-pushback-ms"]) >= 100)
        eventually(lambda: self.server.metric('orderd_rpc_shed_total{cause="work"}') == 55)
        eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 0)  # a caller has its answer a moment earlier
        self.assertEqual(echo(self.channel)(pb.EchoRequest(text="again"), timeout=LIMIT_S).text, "again")

    def test_health_is_answered_while_work_is_shed(self):
        busy = [echo(self.channel).future(pb.EchoRequest(delay_ms=4000), timeout=LIMIT_S) for _ in range(5)]
        eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 5)
        self.refused(Code.RESOURCE_EXHAUSTED, echo(self.channel), pb.EchoRequest())
        self.assertEqual(health(self.channel)(health_pb2.HealthCheckRequest(), timeout=LIMIT_S).status, 1)
        self.assertEqual({c.code() for c in busy}, {Code.OK})


class Shares(Case):
    """auth=none: every caller is tenant 1's administrator, so tenant and caller are one."""
    settings = ("--max-in-flight-tenant=7", "--max-in-flight-caller=4")

    def test_one_callers_calls_have_a_bound_of_their_own(self):
        busy = [echo(self.channel).future(pb.EchoRequest(delay_ms=60000), timeout=LIMIT_S) for _ in range(4)]
        eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 4)
        e = self.refused(Code.RESOURCE_EXHAUSTED, echo(self.channel), pb.EchoRequest())
        d = details(e)
        self.assertEqual((d["ErrorInfo"].reason, len(d["QuotaFailure"].violations)), ("OVERLOADED", 1))
        self.assertEqual(d["QuotaFailure"].violations[0].description, "4 calls at work (max_in_flight_caller)")
        self.assertNotEqual(d["QuotaFailure"].violations[0].subject, "")
        self.assertEqual(pushback(e), d["RetryInfo"].retry_delay.ToMilliseconds())
        self.assertEqual(self.server.metric('orderd_rpc_shed_total{cause="caller"}'), 1)
        eventually(lambda: sorted((r["tenant"], r["in_flight"], r["most"]) for r in self.server.view("tenants")) == [
            (1, 4, 4), (1, 4, 7)])
        self.who_comes_again_is_told_the_same_until_a_seat_is_given_back(busy)
        for c in busy:
            c.cancel()
        eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 0)
        self.assertEqual(self.server.view("tenants"), [])
        echo(self.channel)(pb.EchoRequest(), timeout=LIMIT_S)

    def who_comes_again_is_told_the_same_until_a_seat_is_given_back(self, busy):
        """Most of these the loop never sees."""
        calls = [echo(self.channel).future(pb.EchoRequest(), timeout=LIMIT_S) for _ in range(300)]
        self.assertEqual({c.code() for c in calls}, {Code.RESOURCE_EXHAUSTED})
        told = [details(c) for c in calls]
        self.assertEqual({d["QuotaFailure"].violations[0].description for d in told}, {"4 calls at work (max_in_flight_caller)"})
        self.assertGreater(len({d["RetryInfo"].retry_delay.ToMilliseconds() for d in told}), 1)  # not all at the same time
        self.assertEqual(self.server.metric('orderd_rpc_shed_total{cause="caller"}'), 301)
        self.assertLess(self.server.metric('orderd_rpc_started_total{method="echo"}'), 30)
        self.assertEqual(health(self.channel)(health_pb2.HealthCheckRequest(), timeout=LIMIT_S).status, 1)
        busy.pop().cancel()
        eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 3)
        echo(self.channel)(pb.EchoRequest(), timeout=LIMIT_S)

    def test_watches_are_not_work(self):
        streams = [numbers(self.channel)(pb.NumbersRequest(count=2, size=5 << 16), timeout=LIMIT_S) for _ in range(9)]
        self.assertEqual([len(list(s)) for s in streams], [2] * 9)


class Tenant(Case):
    settings = ("--max-in-flight-tenant=3", "--max-in-flight-caller=100")

    def test_one_tenants_calls_have_a_bound_of_their_own(self):
        calls = [echo(self.channel).future(pb.EchoRequest(delay_ms=60000), timeout=LIMIT_S) for _ in range(10)]
        eventually(lambda: [c.done() for c in calls].count(True) == 7)
        shed = [c for c in calls if c.done()]
        self.assertEqual({c.code() for c in shed}, {Code.RESOURCE_EXHAUSTED})
        violation = details(shed[0])["QuotaFailure"].violations[0]
        self.assertEqual((violation.subject, violation.description), ("tenant:1", "3 calls at work (max_in_flight_tenant)"))
        self.assertEqual(self.server.metric('orderd_rpc_shed_total{cause="tenant"}'), 7)
        for c in calls:
            c.cancel()


class Rate(Case):
    settings = ("--rate-limit=2", "--rate-burst=5")

    def test_who_calls_too_often_is_told_when_to_return_and_then_let_in(self):
        call = echo(self.channel)
        begun = time.monotonic()
        errors = []
        for _ in range(200):
            try:
                call(pb.EchoRequest(), timeout=LIMIT_S)
            except grpc.RpcError as e:
                errors.append(e)
                break
        self.assertEqual(len(errors), 1)
        e, d = errors[0], details(errors[0])
        self.assertEqual((e.code(), d["ErrorInfo"].reason), (Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"))
        violation = d["QuotaFailure"].violations[0]
        self.assertEqual((violation.subject, violation.description), ("tenant:1", ECHO + ": 2 in a second, 5 at once"))
        wait = pushback(e)
        self.assertTrue(0 < wait <= 500, wait)
        self.assertEqual(d["RetryInfo"].retry_delay.ToMilliseconds(), wait)
        self.assertEqual(self.server.metric('orderd_rpc_shed_total{cause="rate"}'), 1)
        bucket = self.server.view("rates")[0]
        self.assertEqual((bucket["tenant"], bucket["method"], bucket["rate"], bucket["burst"]), (1, "echo", "2/s", 5))
        self.assertLess(bucket["tokens"], 5)
        numbers_left = list(numbers(self.channel)(pb.NumbersRequest(count=1), timeout=LIMIT_S))  # another method, another bucket
        self.assertEqual(len(numbers_left), 1)
        time.sleep(wait / 1000)  # what the server asked for
        call(pb.EchoRequest(), timeout=LIMIT_S)
        self.assertLess(time.monotonic() - begun, LIMIT_S)


class RateFile(unittest.TestCase):
    def test_rules_are_read_again_on_sighup_and_a_bad_file_is_not_taken(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "rates")
            self.write(path, "1 * 1/h\n")
            server = Server("--rate-limits-file=" + path, "--rate-limit=1000")
            with server.channel() as channel:
                self.assertEqual(self.calls(channel, 3), 1)
                self.write(path, "1 * none\n")
                server.signal(signal.SIGHUP)
                eventually(lambda: "credentials_reloaded setting=rate_limits_file" in server.log())
                self.assertEqual(self.calls(channel, 50), 50)
                self.write(path, "1 * none\n1 /orderd.v1.OrderService/Place 5/s\n")
                server.signal(signal.SIGHUP)
                eventually(lambda: "credentials_kept setting=rate_limits_file" in server.log())
                self.assertIn("line 2: there is no such method", server.log())
                self.assertEqual(self.calls(channel, 50), 50)
            self.assertEqual(server.stop(), 0)
            server.stderr.close()

    def test_a_bad_file_is_refused_at_start(self):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write("1 * fast\n")
            f.flush()
            server = Server("--rate-limits-file=" + f.name)
            self.assertEqual(server.wait(), 2)
            self.assertRegex(server.log(), "--rate-limits-file: .*line 1: the rate is")
            server.stderr.close()

    @staticmethod
    def write(path, text):
        with open(path + ".new", "w") as f:
            f.write(text)
        os.replace(path + ".new", path)

    @staticmethod
    def calls(channel, n):
        """So many of them succeed."""
        futures = [echo(channel).future(pb.EchoRequest(), timeout=LIMIT_S) for _ in range(n)]
        return [f.code() for f in futures].count(Code.OK)


class Late(Case):
    settings = ("--queue-wait-ms=50", "--access-log=off")

    def test_calls_that_wait_too_long_for_the_loop_are_refused_until_it_has_caught_up(self):
        # Each holds up the loop for 100 ms, so they all wait for it, 3 s the last of them.
        calls = [echo(self.channel).future(pb.EchoRequest(fail="stall"), timeout=LIMIT_S) for _ in range(30)]
        codes = [c.code() for c in calls]
        self.assertEqual(set(codes), {Code.OK, Code.RESOURCE_EXHAUSTED})
        shed = next(c for c in calls if c.code() == Code.RESOURCE_EXHAUSTED)
        self.assertEqual(details(shed)["ErrorInfo"].reason, "OVERLOADED")
        self.assertGreaterEqual(pushback(shed), 100)
        self.assertEqual(self.server.metric('orderd_rpc_shed_total{cause="late"}'), codes.count(Code.RESOURCE_EXHAUSTED))
        self.assertEqual(echo(self.channel)(pb.EchoRequest(text="again"), timeout=LIMIT_S).text, "again")
        self.assertEqual(health(self.channel)(health_pb2.HealthCheckRequest(), timeout=LIMIT_S).status, 1)


class Rows(Case):
    def test_every_error_carries_what_its_row_in_the_docs_says(self):
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "errors.md")
        with open(docs) as f:
            text = f.read()
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \(\d+\) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text, re.M)
        self.assertGreater(len(rows), 40)
        for reason, status, again, besides, says in rows:
            with self.subTest(reason):
                e = self.refused(Code[status], echo(self.channel), pb.EchoRequest(fail="bare " + reason))
                d = details(e)
                self.assertEqual((d["ErrorInfo"].reason, e.details()), (reason, says))
                # trailers alone: a head would keep gRPC's clients from retrying
                self.assertEqual((len(e.initial_metadata()), "traceparent" in dict(e.trailing_metadata())), (0, True))
                carried = set(d) - {"ErrorInfo"}
                if "grpc-retry-pushback-ms" in dict(e.trailing_metadata()):
                    carried.add("pushback")
                self.assertEqual(carried, set(filter(None, besides.split(", "))))
                self.assertEqual("RetryInfo" in d, not again.startswith("never"))
                if "pushback" in carried:
                    wait = d["RetryInfo"].retry_delay.ToMilliseconds() if "RetryInfo" in d else -1
                    self.assertEqual(pushback(e), wait)
                if "PreconditionFailure" in d:
                    v = d["PreconditionFailure"].violations[0]
                    self.assertEqual((v.type, v.description), (reason, says))
                if "QuotaFailure" in d:
                    v = d["QuotaFailure"].violations[0]
                    self.assertTrue(v.subject in ("server", "request", "stream") and v.description == says, v)


class Pushback(Case):
    """What our refusals do to clients that have a retry policy: gRPC's own library, as the service config tells it."""
    settings = ("--rate-limit=4", "--rate-burst=1")
    policy = {"methodConfig": [{"name": [{"service": "orderd.test.v1.EchoService"}], "retryPolicy": {
        "maxAttempts": 3, "initialBackoff": "20s", "maxBackoff": "20s", "backoffMultiplier": 1,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]}}]}

    def setUp(self):
        super().setUp()
        self.retrying = self.server.channel(**{"grpc.service_config": json.dumps(self.policy), "grpc.enable_retries": 1})

    def tearDown(self):
        self.retrying.close()
        super().tearDown()

    def test_a_client_returns_when_it_was_told_and_not_by_its_own_backoff(self):
        call = echo(self.retrying)
        self.assertEqual([call(pb.EchoRequest(text=t), timeout=LIMIT_S - 5).text for t in "abcd"], list("abcd"))
        eventually(lambda: call(pb.EchoRequest(), timeout=LIMIT_S - 5) and self.server.metric('orderd_rpc_shed_total{cause="rate"}') >= 1)

    def test_a_client_does_not_return_when_that_cannot_help(self):
        begun = self.server.metric('orderd_rpc_started_total{method="echo"}')
        e = self.refused(Code.RESOURCE_EXHAUSTED, echo(self.retrying), pb.EchoRequest(fail="bare TOO_LARGE"), timeout=LIMIT_S - 5)
        self.assertEqual(pushback(e), -1)
        self.assertEqual(self.server.metric('orderd_rpc_started_total{method="echo"}') - begun, 1)


class Time(Case):
    settings = ("--default-deadline-ms=300", "--max-in-flight=3")

    def test_client_deadline_ends_the_flow(self):
        echo(self.channel)(pb.EchoRequest(), timeout=LIMIT_S)  # from here on there is a connection
        self.refused(Code.DEADLINE_EXCEEDED, echo(self.channel), pb.EchoRequest(delay_ms=30000), timeout=1)
        # Its end is told by the clock here, or by the client who has seen it on the clock there: whichever is first.
        eventually(lambda: sum(self.server.metric('orderd_rpc_handled_total{method="echo",code="%s"}' % code)
                               for code in ("DEADLINE", "CANCELLED")) == 1)

    def test_a_call_without_deadline_gets_ours(self):
        e = self.refused(Code.DEADLINE_EXCEEDED, echo(self.channel), pb.EchoRequest(delay_ms=30000), timeout=None)
        self.assertEqual(details(e)["ErrorInfo"].reason, "DEADLINE")

    def test_a_long_deadline_is_kept(self):
        self.assertEqual(echo(self.channel)(pb.EchoRequest(delay_ms=600, text="late"), timeout=LIMIT_S).text, "late")

    def test_client_cancel_ends_the_flow_and_frees_its_place(self):
        for _ in range(4):
            calls = [echo(self.channel).future(pb.EchoRequest(delay_ms=30000), timeout=LIMIT_S) for _ in range(3)]
            eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 3)
            for c in calls:
                c.cancel()
            eventually(lambda: self.server.metric('orderd_rpc_in_flight{class="work"}') == 0)
        self.assertEqual(self.server.metric('orderd_rpc_handled_total{method="echo",code="CANCELLED"}'), 12)


class Streams(Case):
    def test_a_stream_delivers_all_in_order(self):
        got = [m.number for m in numbers(self.channel)(pb.NumbersRequest(count=3000, size=10), timeout=LIMIT_S)]
        self.assertEqual(got, list(range(1, 3001)))

    def test_a_slow_reader_costs_one_message(self):
        call = numbers(self.channel)(pb.NumbersRequest(count=10**9, size=10000))
        next(call)
        sent = lambda: int(re.findall(r"sent=(\d+)", self.server.log())[-1])  # noqa: E731
        time.sleep(0.5)  # time for a server without back-pressure to do its worst
        call.cancel()
        eventually(lambda: "numbers_closed" in self.server.log())
        self.assertLess(sent() * 10000, 16 << 20)

    def test_cancel_closes_the_stream(self):
        call = numbers(self.channel)(pb.NumbersRequest(count=10**9, size=10))
        next(call)
        call.cancel()
        eventually(lambda: "numbers_closed" in self.server.log())

    def test_a_stream_without_messages_ends_well(self):
        self.assertEqual(list(numbers(self.channel)(pb.NumbersRequest(), timeout=LIMIT_S)), [])


class Health(Case):
    def status(self, service=""):
        return health(self.channel)(health_pb2.HealthCheckRequest(service=service), timeout=LIMIT_S).status

    def test_check_knows_the_server_and_its_services(self):
        for service in ("", "orderd.test.v1.EchoService", "grpc.health.v1.Health"):
            self.assertEqual(self.status(service), 1)
        for service in ("orderd.test.v1.EchoServic", "orderd.test.v1.EchoService/Echo", "no"):
            self.refused(Code.NOT_FOUND, health(self.channel), health_pb2.HealthCheckRequest(service=service))

    def test_watch_tells_every_change(self):
        call = health(self.channel, "Watch", "unary_stream")(health_pb2.HealthCheckRequest(), timeout=LIMIT_S)
        self.assertEqual(next(call).status, 1)
        self.server.signal(signal.SIGUSR1)
        self.assertEqual(next(call).status, 2)
        self.assertEqual(self.status(), 2)
        self.assertEqual(self.server.get("/healthz"), (503, "not serving\n"))
        self.server.signal(signal.SIGUSR2)
        self.assertEqual(next(call).status, 1)
        call.cancel()

    def test_watch_of_an_unknown_service_stays_open(self):
        call = health(self.channel, "Watch", "unary_stream")(health_pb2.HealthCheckRequest(service="no"))
        self.assertEqual(next(call).status, 3)
        self.assertTrue(call.is_active())
        call.cancel()

    def test_http_port_has_metrics_and_health_and_nothing_else(self):
        echo(self.channel)(pb.EchoRequest(), timeout=LIMIT_S)
        self.assertEqual(self.server.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.server.metric('orderd_rpc_handled_total{method="echo",code="OK"}'), 1)
        self.assertEqual(self.server.get("/")[0], 404)
        self.assertEqual(self.server.get("/metrics/")[0], 404)
        self.assertEqual(self.server.get("/metrics", method="DELETE")[0], 405)


class Reflection(Case):
    def ask(self, pb2, version, requests):
        path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
        call = self.channel.stream_stream(path, pb2.ServerReflectionRequest.SerializeToString,
                                          pb2.ServerReflectionResponse.FromString)
        return list(call(iter(requests), timeout=LIMIT_S))

    def test_both_versions_tell_services_and_files(self):
        from google.protobuf import descriptor_pb2
        for pb2, version in ((reflection_pb2, "v1"), (reflection_alpha_pb2, "v1alpha")):
            rq = pb2.ServerReflectionRequest
            asked = [rq(list_services="*"), rq(file_by_filename="echo.proto"),
                     rq(file_containing_symbol="orderd.test.v1.EchoService.Echo"),
                     rq(file_containing_symbol="orderd.test.v1.Line.sku"),
                     rq(file_containing_symbol="google.rpc.BadRequest.FieldViolation"),
                     rq(file_containing_symbol="no.such.Thing"), rq(file_by_filename="no.proto"),
                     rq(all_extension_numbers_of_type="orderd.test.v1.Line"), rq(host="h")]
            got = self.ask(pb2, version, asked)
            self.assertEqual([g.original_request for g in got], asked)
            self.assertEqual({s.name for s in got[0].list_services_response.service},
                             {"orderd.test.v1.EchoService", "grpc.health.v1.Health",
                              "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"})
            files = [descriptor_pb2.FileDescriptorProto.FromString(g.file_descriptor_response.file_descriptor_proto[0]).name
                     for g in got[1:5]]
            self.assertEqual(files, ["echo.proto"] * 3 + ["google/rpc/error_details.proto"])
            self.assertEqual([g.error_response.error_code for g in got[5:7]], [5, 5])
            self.assertEqual(got[7].all_extension_numbers_response.base_type_name, "orderd.test.v1.Line")
            self.assertEqual(got[8].error_response.error_code, 3)

    def test_published_files_carry_no_generator_options(self):
        got = self.ask(reflection_pb2, "v1", [reflection_pb2.ServerReflectionRequest(file_by_filename="echo.proto")])
        self.assertNotIn(b"protobuf-c", got[0].file_descriptor_response.file_descriptor_proto[0])

    def test_bad_message_ends_the_stream(self):
        path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        self.refused(Code.INVALID_ARGUMENT, lambda **k: list(raw(self.channel, path, "stream_stream")(iter([b"\xff"]), **k)))


class Listeners(unittest.TestCase):
    def refused_start(self, *settings):
        server = Server(*settings)
        code, log = server.wait(), server.log()
        server.stderr.close()
        self.assertEqual(code, 2, log)
        return log

    def test_auth_none_refuses_addresses_others_can_reach(self):
        for listen in ("0.0.0.0:0", "[::]:0", "192.168.0.1:0", "127.0.0.1:0,0.0.0.0:0", "example.com:1", ""):
            self.assertIn("listen", self.refused_start("--listen=" + listen))
        self.assertIn("http_listen".replace("_", "-"),
                      self.refused_start("--http-listen=0.0.0.0:0").replace("_", "-"))
        self.assertIn("auth", self.refused_start("--auth="))

    def test_a_taken_port_is_refused(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.assertIn("cannot listen", self.refused_start("--listen=127.0.0.1:%d" % taken.getsockname()[1]))
            self.assertIn("cannot listen", self.refused_start("--http-listen=127.0.0.1:%d" % taken.getsockname()[1]))

    def test_two_servers_do_not_share_a_port(self):
        first = Server()
        self.assertIn("cannot listen", self.refused_start("--listen=" + first.address))
        self.assertEqual(first.stop(), 0)
        first.stderr.close()

    def test_several_listeners_serve(self):
        folder = tempfile.mkdtemp(prefix="rpc.", dir="/tmp")
        server = Server(f"--listen=127.0.0.1:0,[::1]:0,unix:{folder}/s")
        for address in server.addresses:
            with grpc.insecure_channel(address) as channel:
                self.assertEqual(echo(channel)(pb.EchoRequest(text="hi"), timeout=LIMIT_S).text, "hi")
        self.assertEqual((len(server.addresses), server.stop()), (3, 0))
        server.stderr.close()
        shutil.rmtree(folder)


class Drain(unittest.TestCase):
    def drained(self, server):
        code, log = server.wait(), server.log()
        server.stderr.close()
        self.assertEqual(code, 0, log)

    def test_running_calls_end_and_new_ones_are_refused(self):
        server = Server()
        with server.channel() as channel:
            call = echo(channel).future(pb.EchoRequest(delay_ms=1000, text="done"), timeout=LIMIT_S)
            eventually(lambda: server.metric('orderd_rpc_in_flight{class="work"}') == 1)
            server.signal(signal.SIGTERM)
            eventually(lambda: server.get("/healthz")[0] == 503)
            with server.channel(**{"grpc.use_local_subchannel_pool": 1}) as late:
                with self.assertRaises(grpc.RpcError) as caught:
                    echo(late)(pb.EchoRequest(), timeout=LIMIT_S)
                self.assertEqual(caught.exception.code(), Code.UNAVAILABLE)
            self.assertEqual(call.result().text, "done")
        self.drained(server)

    def test_watchers_hear_not_serving_and_then_unavailable(self):
        server = Server("--lame-duck-ms=3000")
        with server.channel() as channel:
            call = health(channel, "Watch", "unary_stream")(health_pb2.HealthCheckRequest(), timeout=LIMIT_S)
            self.assertEqual(next(call).status, 1)
            server.signal(signal.SIGTERM)
            self.assertEqual(next(call).status, 2)
            self.assertEqual(echo(channel)(pb.EchoRequest(text="still"), timeout=LIMIT_S).text, "still")
            with self.assertRaises(grpc.RpcError) as caught:
                next(call)
            self.assertEqual(caught.exception.code(), Code.UNAVAILABLE)
            self.assertEqual(details(caught.exception)["ErrorInfo"].reason, "DRAINING")
        self.drained(server)

    def test_what_outlasts_the_drain_is_cut(self):
        server = Server("--drain-s=1")
        with server.channel() as channel:
            call = echo(channel).future(pb.EchoRequest(delay_ms=60000), timeout=LIMIT_S)
            stalled = numbers(channel)(pb.NumbersRequest(count=10**9, size=10000))
            next(stalled)
            eventually(lambda: server.metric('orderd_rpc_in_flight{class="work"}') >= 1)
            server.signal(signal.SIGTERM)
            self.assertIn(call.code(), (Code.CANCELLED, Code.UNAVAILABLE))
            self.drained(server)
            stalled.cancel()

    def test_a_request_that_never_comes_does_not_hold_up_the_exit(self):
        server = Server("--drain-s=1")
        over = threading.Event()

        def requests():
            over.wait(LIMIT_S)
            yield b""

        with server.channel() as channel:
            other = echo(channel)(pb.EchoRequest(text="connected"), timeout=LIMIT_S)
            self.assertEqual(other.text, "connected")
            call = raw(channel, ECHO, "stream_unary").future(requests(), timeout=LIMIT_S)
            server.signal(signal.SIGTERM)
            self.assertIn(call.code(), (Code.CANCELLED, Code.UNAVAILABLE))
            over.set()
            self.drained(server)

    def test_a_mute_connection_does_not_hold_up_the_exit(self):
        server = Server("--drain-s=1")
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port))):
            server.signal(signal.SIGTERM)
            self.drained(server)

    def test_drain_under_load_loses_no_call_without_saying_so(self):
        server = Server("--lame-duck-ms=100")
        codes = []

        def caller():
            with server.channel(**{"grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0}) as channel:
                while True:
                    try:
                        echo(channel)(pb.EchoRequest(delay_ms=5), timeout=LIMIT_S)
                        codes.append(Code.OK)
                    except grpc.RpcError as e:
                        codes.append(e.code())
                        return

        threads = [threading.Thread(target=caller) for _ in range(8)]
        for t in threads:
            t.start()
        eventually(lambda: len(codes) > 100)
        server.signal(signal.SIGTERM)
        for t in threads:
            t.join()
        self.assertEqual(set(codes), {Code.OK, Code.UNAVAILABLE})  # UNAVAILABLE: there is no other server
        self.drained(server)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
