"""What operators see: one trace from the call to the outside, one line per call, and metrics every process shows."""
import json
import os
import re
import shutil
import subprocess
import threading
import uuid

import grpc
from programs import LISTEN, Running, http, program
from world import objects_in, run, whole_lines

CONFIG = """
log_format = json
log_level = debug
access_log = all
"""

PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])")


def parent(trace=None, flags="01"):
    return "00-%s-%s-%s" % (trace or uuid.uuid4().hex, uuid.uuid4().hex[:15] + "1", flags)


def with_metadata(w, service, method, request, *metadata):
    """(answer or error, the traceparents of the answer's head)."""
    module = w.pb[service.replace("Service", "_service").lower()]
    call = w.channel.unary_unary("/orderd.v1.%s/%s" % (service, method), type(request).SerializeToString,
                                 getattr(module, method + "Response").FromString)
    answer, told = call.with_call(request, timeout=20, metadata=metadata)
    return answer, [v for k, v in told.initial_metadata() if k == "traceparent"]


def log(w, name, **wanted):
    """The lines of a process's log as objects, those with these values."""
    lines = objects_in(os.path.join(w.env["DATA"], "log", name + ".log"))
    return [x for x in lines if all(x.get(k) == v for k, v in wanted.items())]


def journal(w, part):
    return objects_in(os.path.join(w.env["DATA"], "sim", part + ".jsonl"))


def traces(w, part, order):
    """[(path, traceparent)] of what one order, or its parcels, asked there; what happened there by itself has none."""
    ids = [order] + [i for row in w.sql("SELECT id, remote_id FROM shipment WHERE order_id = '%s'" % order) for i in row]
    return [(x["path"], x.get("traceparent", "")) for x in journal(w, part)
            if x["method"] != "CLOCK" and any(i in json.dumps(x) for i in ids)]


def trace_of_job(w, order, kind):
    return w.sql("SELECT coalesce(encode(substring(j.trace FOR 16), 'hex'), 'the order''s') FROM job j"
                 " WHERE order_id = '%s' AND kind = '%s'" % (order, kind))[0][0]


# ---- one trace, from the call to the outside

def trace_of_a_call__goes_with_its_order_to_the_outside(w):
    trace = uuid.uuid4().hex
    came = parent(trace)
    answer, (told,) = with_metadata(w, "OrderService", "PlaceOrder", w.order_request(), ("traceparent", came))
    order = answer.order.order_id
    assert PARENT.fullmatch(told).group(1, 3) == (trace, "01") and told != came, told

    # the access log
    line, = log(w, "orderd", event="rpc", trace=trace)
    assert (line["method"], line["code"], line["order"]) == ("place_order", "OK", order), line
    assert log(w, "orderd", event="rpc", order=order) == [line]

    # the rows: the order keeps it, its jobs are of the order
    w.until(lambda: w.state(order) == "completed", "delivery")
    stored = w.sql("SELECT encode(trace, 'hex') FROM orders WHERE id = '%s'" % order)
    assert stored == [(trace + "01",)], stored
    assert trace_of_job(w, order, "payment.authorize") == "the order's"

    # the worker: every flow of every job; the last one says so after its order is completed
    kinds = {"payment.authorize", "payment.capture", "shipping.label", "shipping.track"}
    w.until(lambda: kinds <= {x["flow"] for x in log(w, "worker", event="flow_ended", subject=order)}, "the flows' ends")
    flows = log(w, "worker", event="flow_ended", subject=order)
    assert {x["trace"] for x in flows} == {trace}, flows

    # the outside: the same trace, another span each time, sampled as the caller asked
    asked = traces(w, "gateway", order) + traces(w, "carrier", order)
    assert {path.rsplit("/", 1)[1] for path, _ in asked} >= {"payment_intents", "capture", "buy"}, asked
    outside = [PARENT.fullmatch(p).groups() for _, p in asked]
    assert len(outside) >= 4 and {(t, flags) for t, _, flags in outside} == {(trace, "01")}, asked
    spans = [span for _, span, _ in outside]
    assert len(set(spans)) == len(spans) and came[36:52] not in spans, spans


def call_without_a_trace__begins_one(w):
    answer, (told,) = with_metadata(w, "OrderService", "PlaceOrder", w.order_request())
    trace, _, flags = PARENT.fullmatch(told).groups()
    assert trace != "0" * 32 and flags == "00", told
    line, = log(w, "orderd", event="rpc", order=answer.order.order_id)
    assert line["trace"] == trace
    assert w.sql("SELECT encode(trace, 'hex') FROM orders WHERE id = '%s'" % answer.order.order_id) == [(trace + "00",)]


def traceparent_that_is_none__is_ignored(w):
    good = uuid.uuid4().hex
    request = w.pb["order_service"].GetOrderStatusRequest(order_id=w.place().order_id)
    for came in (parent(good)[:-1], parent(good) + "0", parent(good).replace("00-", "ff-", 1), parent(good).replace("00-", "0-", 1),
                 "00-%s-%s-01" % ("0" * 32, "1" * 16), "00-%s-%s-01" % (good, "0" * 16), parent(good).upper(), parent("g" + good[1:]),
                 "", "-", "00", "x" * 5000, parent(good) + "-" * 5000, " " + parent("f" * 31), "%s%s%n"):
        _, (told,) = with_metadata(w, "OrderService", "GetOrderStatus", request, ("traceparent", came))
        assert PARENT.fullmatch(told) and good not in told, (came, told)
    _, (told,) = with_metadata(w, "OrderService", "GetOrderStatus", request, ("traceparent", parent(good)), ("traceparent", parent(good)))
    assert PARENT.fullmatch(told) and good not in told, "two are none: " + told
    _, (told,) = with_metadata(w, "OrderService", "GetOrderStatus", request, ("traceparent", "42-%s-%s-01-to-come" % (good, "1" * 16)))
    assert PARENT.fullmatch(told).group(1) == good, told


def refused_call__is_told_its_trace_too(w):
    trace = uuid.uuid4().hex
    try:
        with_metadata(w, "OrderService", "GetOrder", w.pb["order_service"].GetOrderRequest(order_id=str(uuid.uuid4())),
                      ("traceparent", parent(trace)))
        raise AssertionError("it was not refused")
    except grpc.RpcError as e:
        told = [v for k, v in e.trailing_metadata() if k == "traceparent"]
        assert PARENT.fullmatch(told[0]).group(1) == trace, told


def cancellation__is_voided_in_its_own_trace(w):
    inv, place = w.pb["inventory_service"], w.pb["place"]
    w.call("InventoryService", "CreateLocation", inv.CreateLocationRequest(location=inv.Location(
        code="HALL", priority=1, fulfillment_mode=inv.FULFILLMENT_MODE_MANUAL,
        address=place.Address(name="HALL", street="Hafenweg 2", city="Berlin", postal_code="10115", country_code="DE"))))
    w.call("InventoryService", "UpsertItems", inv.UpsertItemsRequest(items=[
        inv.Item(sku="vase", title="A vase", unit_price=w.pb["money"].Money(currency_code="EUR", amount_minor=1999), weight_grams=100)]))
    w.receive("HALL", vase=10)
    bought, cancelled = uuid.uuid4().hex, uuid.uuid4().hex
    answer, _ = with_metadata(w, "OrderService", "PlaceOrder", w.order_request(lines=[("vase", 1)]), ("traceparent", parent(bought)))
    order = answer.order.order_id
    w.until(lambda: w.state(order) == "confirmed", "payment")
    with_metadata(w, "OrderService", "CancelOrder", w.pb["order_service"].CancelOrderRequest(
        order_id=order, request_id=str(uuid.uuid4())), ("traceparent", parent(cancelled, "00")))
    w.until(lambda: w.state(order) == "cancelled", "the void")
    assert trace_of_job(w, order, "payment.void") == cancelled
    voids = [x["traceparent"] for x in journal(w, "gateway") if x["path"].endswith("/cancel") and order in json.dumps(x)]
    assert [PARENT.fullmatch(p).group(1, 3) for p in voids] == [(cancelled, "00")], voids
    ended = {"event": "flow_ended", "flow": "payment.void", "subject": order}
    w.until(lambda: log(w, "worker", **ended), "the end of its flow")
    assert [x["trace"] for x in log(w, "worker", **ended)] == [cancelled]
    assert bought in traces(w, "gateway", order)[0][1]


# ---- one line per call

def call_that_fails__has_one_line_and_no_second(w):
    request = w.order_request(lines=[("unique", 5)], customer="nobody-is-to-read-this")
    assert w.refusal("OrderService", "PlaceOrder", request)[1] == "OUT_OF_STOCK"
    line, = log(w, "orderd", request=request.request_id)
    assert (line["event"], line["method"], line["code"], line["level"]) == ("rpc", "place_order", "OUT_OF_STOCK", "info"), line
    assert line["tenant"] == 1 and line["caller"] == "local" and line["order"] == "none", line
    assert re.fullmatch(r"(ipv4|ipv6|unix):.*", line["peer"]) and line["ms"] > 0, line
    assert line["in"] == request.ByteSize() and line["out"] == 0, line
    assert log(w, "orderd", trace=line["trace"]) == [line]
    refused = w.order_request(lines=[("mug", 0)])
    w.refusal("OrderService", "PlaceOrder", refused)
    line, = log(w, "orderd", request=refused.request_id)
    assert line["code"] == "INVALID_ARGUMENT", line
    answer = w.get(w.place().order_id)
    line = log(w, "orderd", event="rpc", method="get_order", order=answer.order.order_id)[-1]
    assert line["out"] == answer.ByteSize(), line


def text_of_callers__stays_inside_its_value(w):
    for evil in ('a" level=error b="', "a\nlevel=error", 'x","level":"error', "\\", '\\"', "ü€😀", "x" * 255):
        request = w.order_request(request_id=evil, lines=[("mug", 0)])
        w.refusal("OrderService", "PlaceOrder", request)
        mine = log(w, "orderd", request=evil)
        assert len(mine) == 1 and mine[0]["level"] == "info" and mine[0]["code"] == "INVALID_ARGUMENT", (evil, mine)


def log_names_no_customer(w):
    w.place(customer="customer-4711")
    with open(os.path.join(w.env["DATA"], "log", "orderd.log"), encoding="utf-8") as f:
        text = f.read()
    for private in ("customer-4711", "Ada Example", "Ring 1", "20095", "pm_card", "nobody-is-to-read-this"):
        assert private not in text, private


def every_line__is_an_object(w):
    for name in ("orderd", "worker"):
        for line in whole_lines(os.path.join(w.env["DATA"], "log", name + ".log")):
            if re.fullmatch(r"listening \w+=\S+|ready", line):
                continue  # what it says on stdout
            o = json.loads(line)
            assert o["program"] in ("orderd", "orderd-worker") and o["level"] in ("debug", "info", "warn", "error"), line
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", o["time"]) and o["event"], line


def lines_of(text, event):
    """logfmt, read as strictly as it is written."""
    pair = r'[a-z0-9_]+=(?:"(?:[^"\\]|\\.)*"|[^ "]*)'
    for line in text.splitlines():
        assert re.fullmatch("%s(?: %s)*" % (pair, pair), line), line
    return [line for line in text.splitlines() if " event=%s " % event in line]


def only_errors_are_wanted__the_rest_is_silent_and_a_flood_is_bounded(w):
    svc = w.pb["order_service"]
    with Running(w, "orderd", *LISTEN, "--access-log=errors", "--log-format=logfmt", "--log-level=info") as server:
        with grpc.insecure_channel(server.addresses["grpc"]) as channel:
            status = channel.unary_unary("/orderd.v1.OrderService/GetOrderStatus", svc.GetOrderStatusRequest.SerializeToString,
                                         svc.GetOrderStatusResponse.FromString)
            status(svc.GetOrderStatusRequest(order_id=w.place().order_id), timeout=20)
            watch = channel.unary_stream("/orderd.v1.OrderService/WatchOrder", svc.WatchOrderRequest.SerializeToString,
                                         svc.WatchOrderResponse.FromString)(svc.WatchOrderRequest(order_id=w.place().order_id))
            next(watch)
            watch.cancel()  # who watches may go when he likes
            futures = [status.future(svc.GetOrderStatusRequest(order_id='x" y=\n'), timeout=30) for _ in range(1500)]
            assert {f.code() for f in futures} == {grpc.StatusCode.INVALID_ARGUMENT}
            # and one in another second each, which says how many lines there were not
            w.until(lambda: status.future(svc.GetOrderStatusRequest(order_id=""), timeout=20).code() is not None
                    and sum(told(server)) >= 1500, "each call's line, or its count")
        assert server.end() == 0
    _, skipped = told(server)
    assert skipped > 0
    assert {re.search(r" code=(\w+) ", line).group(1) for line in lines_of(said(server, ""), "rpc")} == {"INVALID_ARGUMENT"}


def told(server):
    """Lines of calls, and lines that were left out."""
    text = said(server, "")
    return (len(lines_of(text, "rpc")), sum(int(re.search(r"lines=(\d+)", line).group(1)) for line in lines_of(text, "access_log_skipped")))


def access_log_off__says_nothing_of_calls(w):
    with Running(w, "orderd", *LISTEN, "--access-log=off", "--log-format=logfmt", "--log-level=info") as server:
        with grpc.insecure_channel(server.addresses["grpc"]) as channel:
            call = channel.unary_unary("/orderd.v1.OrderService/GetOrderStatus")
            assert call.future(b"", timeout=20).code() == grpc.StatusCode.INVALID_ARGUMENT
        assert server.end() == 0
        assert lines_of(said(server, ""), "rpc") == []


def said(server, what):
    text = "".join(line + "\n" for line in whole_lines(server.errors.name))
    return text if what in text else ""


# ---- metrics of every process

def sample(text, name):
    found = re.search("^%s (\\S+)$" % re.escape(name), text, re.M)
    assert found, name
    return float(found.group(1))


def check_page(text, program_):
    assert shutil.which("promtool"), "promtool is missing: apt-get install --no-install-recommends prometheus"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and done.stdout == "", "%s: %s" % (program_, done.stdout)
    version = re.search('^orderd_build_info{version="([^"]+)"} 1$', text, re.M).group(1)
    out = subprocess.run([program_, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    assert out == "" or version in out, (version, out)
    assert sample(text, "process_cpu_seconds_total") > 0
    assert sample(text, "process_resident_memory_bytes") > 1 << 20
    assert 3 < sample(text, "process_open_fds") < sample(text, "process_max_fds")


def metrics_under_load__please_promtool(w):
    stop = threading.Event()

    def buy():
        while not stop.is_set():
            w.place()
            w.refusal("OrderService", "PlaceOrder", w.order_request(lines=[("unique", 9)]))

    buyers = [threading.Thread(target=buy) for _ in range(4)]
    for b in buyers:
        b.start()
    try:
        w.until(lambda: 'orderd_job_done_total{kind="shipping.label"}' in http(w, "/metrics", "WORKER_HTTP")[2], "work")
        w.env["SIM"] = w.env["SIM_URL"].split("//")[1]
        w.until(lambda: 'orderd_queue_ready{role="payment"}' in http(w, "/metrics", "WORKER_HTTP")[2], "the janitor's count")
        for name, of in (("orderd", "HTTP"), ("orderd-worker", "WORKER_HTTP"), ("orderd-sim", "SIM")):
            status, headers, text = http(w, "/metrics", of)
            assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8"), name
            check_page(text, program(w, name))
    finally:
        stop.set()
        for b in buyers:
            b.join()


def metrics__say_what_an_operator_asks(w):
    w.until(lambda: sample(http(w, "/metrics", "WORKER_HTTP")[2], 'orderd_queue_ready{role="payment"}') == 0, "an empty queue")
    server, worker = http(w, "/metrics")[2], http(w, "/metrics", "WORKER_HTTP")[2]
    assert sample(server, 'orderd_rpc_limit{class="work"}') == 2000
    assert sample(server, 'orderd_rpc_handled_total{method="place_order",code="OUT_OF_STOCK"}') > 0
    assert sample(server, 'orderd_store_limit{lane="order"}') == 4096
    assert sample(worker, 'orderd_jobs_limit{role="payment"}') == 64
    for role in ("payment", "fulfillment", "shipping", "notification"):
        assert sample(worker, 'orderd_queue_dead{role="%s"}' % role) == 0
    for role in ("payment", "fulfillment", "shipping"):
        assert sample(worker, 'orderd_job_wait_seconds_count{role="%s"}' % role) > 0
    gateway = w.env["SIM_URL"].split("//")[1]
    calls = re.findall('^orderd_http_calls_total{host="([^"]+)",code="([^"]+)"} ', worker, re.M)
    assert (gateway, "200") in calls or (gateway.split(":")[0], "200") in calls, calls
    assert sample(worker, "orderd_sweep_timestamp_seconds") > sample(worker, "process_start_time_seconds") > 1.7e9
    assert sample(worker, 'orderd_order_holds{reason="shipping"}') == 0


def work_nobody_does__is_seen_with_its_age(w):
    """No mail server is set, so nobody takes mails' jobs; and one job is dead."""
    order = w.place().order_id
    w.until(lambda: w.state(order) == "completed", "delivery")
    made = w.sql("INSERT INTO job (id, tenant, order_id, group_no, kind, state, run_at) SELECT child_id('{0}'), 1, '{0}', 1, kind, state,"
                 " now() - interval '1 hour' FROM (VALUES ('notification.mail', 'ready'), ('payment.capture', 'dead')) v(kind, state)"
                 " RETURNING id".format(order))

    def now(name, role):
        return sample(http(w, "/metrics", "WORKER_HTTP")[2], 'orderd_%s{role="%s"}' % (name, role))
    try:
        w.until(lambda: now("queue_ready", "notification") == 1 and now("queue_dead", "payment") == 1, "the count")
        assert 3600 <= now("queue_oldest_seconds", "notification") < 3700
        assert now("queue_ready", "payment") == 0 == now("queue_dead", "notification")
        w.until(lambda: now("queue_rung_again_total", "notification") > 0, "the janitor")
    finally:
        w.sql("DELETE FROM job WHERE id IN (%s)" % ", ".join("'%s'" % row[0] for row in made))
    w.until(lambda: now("queue_ready", "notification") == 0 == now("queue_dead", "payment"), "the end")
    assert now("queue_oldest_seconds", "notification") == 0


def worker__has_its_own_port(w):
    assert http(w, "/healthz", "WORKER_HTTP")[::2] == (200, "ok\n")
    assert http(w, "/nothing", "WORKER_HTTP")[0] == 404
    with Running(w, "orderd-worker") as second:
        assert second.addresses["http"] != w.env["WORKER_HTTP"]
        w.env["SECOND"] = second.addresses["http"]
        w.until(lambda: http(w, "/healthz", "SECOND")[0] == 200, "the store")
        assert second.end() == 0
    with Running(w, "orderd-worker", "--worker-http-listen=") as silent:
        assert silent.addresses == {}
        assert silent.end() == 0


def database_away__the_worker_says_so(w):
    w.kill("postgres")
    try:
        w.until(lambda: http(w, "/healthz", "WORKER_HTTP")[0] == 503, "503")
        assert http(w, "/metrics", "WORKER_HTTP")[0] == 200
    finally:
        w.again("postgres")
    for program in ("WORKER_HTTP", "HTTP"):
        w.until(lambda at=program: http(w, "/healthz", at)[0] == 200, "200")


run(trace_of_a_call__goes_with_its_order_to_the_outside, call_without_a_trace__begins_one, traceparent_that_is_none__is_ignored,
    refused_call__is_told_its_trace_too, cancellation__is_voided_in_its_own_trace, call_that_fails__has_one_line_and_no_second,
    text_of_callers__stays_inside_its_value, only_errors_are_wanted__the_rest_is_silent_and_a_flood_is_bounded,
    access_log_off__says_nothing_of_calls, metrics_under_load__please_promtool, metrics__say_what_an_operator_asks,
    work_nobody_does__is_seen_with_its_age, worker__has_its_own_port, database_away__the_worker_says_so,
    log_names_no_customer, every_line__is_an_object, config=CONFIG)
