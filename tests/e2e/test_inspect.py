"""What orderd and its workers show of themselves while they run: at their HTTP ports, over gRPC, with orderctl."""
import contextlib
import json
import os
import re
import subprocess
import threading
import urllib.parse
import urllib.request
import uuid

import grpc
from programs import LISTEN, Running, http, own, write
from world import run

OURS = {"views", "config", "version", "memory", "timers", "flows", "pools", "batches"}
SERVERS, WORKERS = OURS | {"calls", "tenants", "rates", "watches", "feeds", "states", "chains"}, OURS | {"jobs", "streams"}
# What the order below is known by to people, and what opens doors.
PERSON = ("Zenobia Quill", "Amaranth Lane 7", "Porlock", "Z99 9ZZ", "zenobia@quill.example", "+4915550123", "pm_card_visa")
FIGURES = set("line bytes count next_ms age_ms wait_left_ms left_ms full_ms memory_bytes n followers behind kept read xid in_flight most tokens"
              " burst working waiting done lost ago_ms units statements us tenant sent taken version held quiet_ms seq read_ms".split())


def look(w, view, of="HTTP"):
    """A view as its rows, at one of the operators' ports."""
    status, headers, body = http(w, "/show/%s?format=json" % view, of)
    assert status == 200 and headers["Content-Type"] == "application/json", (view, status, headers)
    table = json.loads(body)
    assert table["view"] == view and all(list(row) == table["columns"] for row in table["rows"]), table
    return table["rows"]


def inspect(w, view="", timeout=20):
    """The same over gRPC: (response, rows)."""
    answer = w.call("OpsService", "Inspect", w.pb["ops_service"].InspectRequest(view=view), timeout=timeout)
    names = [c.name for c in answer.columns]
    assert all(len(row.cells) == len(names) for row in answer.rows)
    return answer, [dict(zip(names, row.cells)) for row in answer.rows]


def ctl(w, *args):
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": w.env["GRPC"]}
    done = subprocess.run([os.path.join(w.env["DATA"], "bin", "orderctl"), "inspect", *args], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def locked(w, statement):
    """Somebody else's transaction holds what `statement` locks."""
    holder = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
                               "host=%s dbname=orderd user=postgres" % w.env["SOCKETS"]], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        holder.stdin.write("SET search_path = orderd; BEGIN; %s; SELECT 'held';\n" % statement)
        holder.stdin.flush()
        while "held" not in holder.stdout.readline():
            assert holder.poll() is None
        yield
    finally:
        holder.stdin.close()  # its transaction ends with it
        holder.wait(60)
        holder.stdout.close()


def pid_of(w, name):
    with open(os.path.join(w.env["DATA"], "pids", name)) as f:
        return int(f.read().split()[0])


# ---- the ways to look

def list_of_views__is_the_same_everywhere(w):
    assert {row["view"] for row in look(w, "views")} == SERVERS
    assert {row["view"] for row in look(w, "views", "WORKER_HTTP")} == WORKERS
    assert {row["view"] for row in inspect(w)[1]} == SERVERS
    status, headers, body = http(w, "/show")
    assert status == 200 and headers["Content-Type"].startswith("text/plain"), headers
    assert {line.split()[0] for line in body.splitlines()[1:]} == SERVERS, body
    assert ctl(w) == (0, body, ""), (ctl(w), body)


def every_view__can_be_looked_at_in_every_way(w):
    for of, views in (("HTTP", SERVERS), ("WORKER_HTTP", WORKERS)):
        for view in views:
            rows = look(w, view, of)
            status, _, text = http(w, "/show/" + view, of)
            assert status == 200 and text.splitlines()[0].split() == json.loads(
                http(w, "/show/%s?format=json" % view, of)[2])["columns"], text
            assert rows or view in ("jobs", "watches", "feeds", "flows", "calls", "tenants", "rates", "chains"), view
    for view in SERVERS:
        answer, rows = inspect(w, view)
        assert answer.view == view and answer.process.program == "orderd" and not answer.truncated
        assert [c.name for c in answer.columns if c.figures] == [
            c.name for c in answer.columns if c.name in FIGURES
            and (view, c.name) != ("pools", "version")], answer.columns
        code, out, err = ctl(w, view)
        assert (code, err) == (0, "") and out, (view, code, err)
        out = json.loads(ctl(w, "--json", view)[1])
        assert out["view"] == view and out["process"]["incarnation"] == answer.process.incarnation, out


def json_or_text__is_what_the_caller_asks_for(w):
    def kind(path, accept=None):
        ask = urllib.request.Request("http://%s%s" % (w.env["HTTP"], path), headers={"Accept": accept} if accept else {})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask, timeout=10) as answer:
            return answer.headers["Content-Type"].split(";")[0]
    assert kind("/show/timers") == kind("/show/timers", "text/html, */*") == "text/plain"
    assert kind("/show/timers", "text/html, application/json;q=0.9") == "application/json"
    assert kind("/show/timers?format=json") == kind("/show?format=json") == "application/json"
    assert kind("/show/timers?format=text", "application/json") == "text/plain"


def name_of_no_view__is_refused_and_the_views_are_named(w):
    hostile = ["nothing", "jobs", "FLOWS", "flows/", "flows%20", "../flows", "..%2f..%2fetc%2fpasswd", "%ff%fe",
               "<script>", "%25s%25n", "a" * 2000, "flows;drop", "\u00e9", "%0d%0aSet-Cookie:x"]
    for name in hostile:
        status, headers, body = http(w, "/show/" + urllib.parse.quote(name, safe="%/;"))
        assert status == 404, (name, status)
        assert body == "no such view; there are: views, config, version, memory, timers, flows, calls, tenants, rates, pools, batches, " \
                       "watches, feeds, chains, states\n", body
        assert "Set-Cookie" not in headers
    for path in ("/show/", "/show/%00", "/showflows", "/show/flows/x"):
        assert http(w, path)[0] == 404, path
    for name in ("nothing", "jobs", "FLOWS", "../flows", "flows\0", "flows\n", "%s%n", "\u00e9"):
        try:
            inspect(w, name)
            raise AssertionError(name)
        except grpc.RpcError as e:
            assert e.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT), (name, e)
            if e.code() == grpc.StatusCode.NOT_FOUND:
                assert "pools" in e.details() and "jobs" not in e.details(), e.details()
    assert w.refusal("OpsService", "Inspect", w.pb["ops_service"].InspectRequest(view="a" * 65))[3] == {
        "view": "it is longer than this field may be"}
    code, out, err = ctl(w, "nothing")
    assert code == 4 and out == "" and "NOT_FOUND" in err and "pools" in err, (code, out, err)
    code, out, err = ctl(w, "flows", "pools")
    assert code == 2, (code, out, err)


def other_methods__are_not_taken(w):
    for method in ("POST", "PUT", "DELETE"):
        ask = urllib.request.Request("http://%s/show/flows" % w.env["HTTP"], method=method)
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask, timeout=10)
            raise AssertionError(method)
        except urllib.error.HTTPError as e:
            assert e.code == 405, (method, e.code)
            e.close()


# ---- what is seen

def settings__say_where_they_came_from(w):
    rows = {row["setting"]: row for row in look(w, "config")}
    with open(os.path.join(w.env["DATA"], "orderd.conf")) as f:
        line = [text.split(" = ")[0] for text in f].index("sweep_ms") + 1
    assert rows["sweep_ms"] == {"setting": "sweep_ms", "value": "200", "unit": "ms", "source": "file", "line": line}, rows["sweep_ms"]
    assert (rows["max_page"]["value"], rows["max_page"]["source"], rows["max_page"]["line"]) == ("200", "default", None)
    assert rows["contact_key_file"]["value"].endswith("contact.key"), rows["contact_key_file"]
    os.environ["ORDERD_DRAIN_S"] = "9"
    try:
        with Running(w, "orderd", "--max-page=99", *LISTEN,
                     "--postgres=host=%s dbname=orderd user=orderd password=hunter2" % w.env["SOCKETS"]) as second:
            w.env["SECOND"] = second.addresses["http"]
            rows = {row["setting"]: row for row in look(w, "config", "SECOND")}
            for of in ("config", "pools", "version"):
                assert "hunter2" not in http(w, "/show/" + of, "SECOND")[2], of
            assert second.end() == 0
    finally:
        del os.environ["ORDERD_DRAIN_S"]
    assert (rows["max_page"]["value"], rows["max_page"]["source"]) == ("99", "option"), rows["max_page"]
    assert (rows["postgres"]["value"], rows["postgres"]["source"]) == ("(not shown: it holds a password)", "option")
    assert rows["sweep_ms"]["source"] == "file"


def setting_of_the_environment__is_told(w):
    env = dict(os.environ, ORDERD_MAX_PAGE="77")
    settings = {k: v for k, v in own(w).items() if k not in ("listen", "http_listen")}
    path = write(w, settings)
    program = os.path.join(w.env["DATA"], "bin", "orderd")
    process = subprocess.Popen([program, "--config=" + path, *LISTEN], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True)
    try:
        for line in process.stdout:
            if line.startswith("listening http="):
                w.env["SECOND"] = line.strip().split("=")[1]
            if line == "ready\n":
                break
        row = [r for r in look(w, "config", "SECOND") if r["setting"] == "max_page"][0]
        assert (row["value"], row["source"], row["line"]) == ("77", "environment", None), row
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def flows_in_flight__are_shown_while_postgres_is_held(w):
    answers = []
    with locked(w, "LOCK TABLE request IN ACCESS EXCLUSIVE MODE"):
        caller = threading.Thread(target=lambda: answers.append(w.place()))
        caller.start()
        w.until(lambda: [r for r in look(w, "flows") if r["step"] == "place"], "the placing")
        flow = [r for r in look(w, "flows") if r["flow"] == "place_order"][0]
        assert flow["waits_for"] == "postgres:order" and flow["age_ms"] >= 0 and 0 < flow["wait_left_ms"] <= 21000, flow
        assert 0 < flow["left_ms"] <= 21000 and flow["cause"] is None, flow
        call = [r for r in look(w, "calls") if r["method"] == "place_order"][0]
        assert call["kind"] == "unary" and call["state"] == "working" and "127.0.0.1" in call["peer"], call
        assert call["memory_bytes"] > 0, call
        busy = [r for r in look(w, "pools") if r["state"] == "busy" and r["pool"] == "order"]
        assert len(busy) == 1 and busy[0]["working"] == 1, busy
        # gRPC's own view of it says the same, and has itself among the calls.
        _, rows = inspect(w, "flows")
        assert [r["subject"] for r in rows if r["flow"] == "place_order"] == [flow["subject"]], rows
        assert "inspect" in [r["method"] for r in inspect(w, "calls")[1]]
    caller.join(60)
    order = answers[0].order_id
    assert order == flow["subject"], (order, flow)
    w.until(lambda: order not in [r["subject"] for r in look(w, "flows")], "its end")
    batches = look(w, "batches")
    ago = [r["ago_ms"] for r in batches if r["lane"] == "order"]
    assert ago == sorted(ago), ago
    batch = [r for r in batches if r["lane"] == "order" and r["outcome"] == "committed"][0]
    assert batch["units"] >= 1 and batch["statements"] >= 6 and batch["us"] > 0, batch


def batch_that_was_refused__says_why(w):
    missing = w.pb["inventory_service"].ReceiveStockRequest(request_id=str(uuid.uuid4()), location="BER1", lines=[
        w.pb["inventory_service"].StockLine(sku="mug", quantity=1)])
    with locked(w, "LOCK TABLE stock IN ACCESS EXCLUSIVE MODE"):
        try:
            w.call("InventoryService", "ReceiveStock", missing, timeout=30)
            raise AssertionError("it was not refused")
        except grpc.RpcError as e:
            assert e.code() != grpc.StatusCode.OK
        assert [r for r in look(w, "batches") if (r["lane"], r["outcome"], r["sqlstate"]) == ("order", "lock_timeout", "55P03")], look(w, "batches")[:4]


def jobs_at_work__are_shown_with_their_lease(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2800)
    order = w.place().order_id

    def asked():
        return [r for r in look(w, "jobs", "WORKER_HTTP") if r["kind"] == "payment.authorize" and r["order"] == order
                and (r["waits_for"] or "").startswith("http:127.0.0.1:")]
    w.until(asked, "the gateway's silence")
    job = asked()[0]
    assert job["attempts"] == 1 and job["group"] == 1 and job["age_ms"] >= 0 and job["lease_left_ms"] <= 2000, job
    assert uuid.UUID(job["job"]).version == 7 and job["step"].startswith("payment.authorize."), job
    hosts = [r for r in look(w, "pools", "WORKER_HTTP") if r["backend"] == "http"]
    assert [r for r in hosts if r["working"] >= 1 and r["pool"] == w.env["SIM_URL"].split("//")[1]], hosts
    # A beat carries it on before the gateway speaks: two seconds of lease from then, not from the claim.
    w.until(lambda: [r for r in asked() if r["age_ms"] + r["lease_left_ms"] > 2400], "a beat", patience_s=5)
    w.until(lambda: w.state(order) == "completed", "delivery")
    readers = {r["role"]: r for r in look(w, "streams", "WORKER_HTTP")}
    assert set(readers) == {"payment", "fulfillment", "shipping", "notification"} or set(readers) == {
        "payment", "fulfillment", "shipping"}, readers


def watch_of_an_order__is_shown(w):
    order = w.place().order_id
    request = w.pb["order_service"].WatchOrderRequest(order_id=order)
    stream = w.channel.unary_stream("/orderd.v1.OrderService/WatchOrder", type(request).SerializeToString,
                                    w.pb["order_service"].WatchOrderResponse.FromString)(request, timeout=60)
    first = next(stream)
    row = [r for r in look(w, "watches") if r["order"] == order][0]
    assert row["sent"] >= first.sequence >= 1 and row["tenant"] == 1 and row["quiet_ms"] >= 0, row
    assert [r["kind"] for r in look(w, "calls") if r["method"] == "watch_order"] == ["server stream"]
    stream.cancel()
    w.until(lambda: not [r for r in look(w, "watches") if r["order"] == order], "its end")


def lost_connections__are_shown_with_the_reason(w):
    before = {(r["pool"], r["n"]): r["lost"] for r in look(w, "pools")}
    assert [r for r in look(w, "pools") if r["pool"] == "order" and (r["version"] or "").startswith("15.")], look(w, "pools")
    w.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orderd' AND application_name = 'orderd'")
    w.until(lambda: all(r["lost"] > before[r["pool"], r["n"]] for r in look(w, "pools") if r["backend"] == "postgres"), "the loss")
    assert all(r["last_error"] for r in look(w, "pools") if r["backend"] == "postgres"), look(w, "pools")
    w.until(lambda: all(r["state"] in ("idle", "busy") for r in look(w, "pools") if r["backend"] == "postgres"), "the repair")
    w.kill("redis")
    w.until(lambda: [r for r in look(w, "pools") if (r["backend"], r["pool"], r["state"]) == ("redis", "main", "lost")
                     and r["last_error"]], "Redis lost")
    assert inspect(w, "pools")[0].rows  # no backend is needed for a look
    w.again("redis")
    w.until(lambda: [r for r in look(w, "pools") if (r["backend"], r["pool"], r["state"]) == ("redis", "main", "up")], "Redis back")
    w.kill("postgres")
    try:
        w.until(lambda: all(r["state"] in ("lost", "connecting") for r in look(w, "pools") if r["backend"] == "postgres"), "PostgreSQL lost")
        assert {r["state"] for r in inspect(w, "pools")[1] if r["backend"] == "postgres"} <= {"lost", "connecting"}
    finally:
        w.again("postgres")
    w.until(lambda: all(r["state"] in ("idle", "busy") for r in look(w, "pools") if r["backend"] == "postgres"), "PostgreSQL back")


def process__is_told_from_the_one_before_it(w):
    w.until(lambda: w.state(w.place().order_id) and sum(r["done"] for r in look(w, "pools") if r["pool"] == "read") > 80, "reads")
    ago = [r["ago_ms"] for r in look(w, "batches") if r["lane"] == "read"]
    assert len(ago) == 64 and ago == sorted(ago), ago  # the last ones, and no more
    first = {r["what"]: r["value"] for r in look(w, "version")}
    for name in ("program", "version", "build", "compiler", "pid", "incarnation", "uptime_s", "openssl", "libuv", "libpq", "hiredis",
                 "libmicrohttpd", "grpc", "protobuf-c"):
        assert first[name], name
    assert first["program"] == "orderd" and first["libpq"].startswith("15."), first
    worker = {r["what"]: r["value"] for r in look(w, "version", "WORKER_HTTP")}
    assert worker["program"] == "orderd-worker" and "libcurl" in worker and "grpc" not in worker, worker
    w.kill("orderd")
    w.again("orderd")
    second = {r["what"]: r["value"] for r in look(w, "version")}
    assert second["incarnation"] != first["incarnation"] and second["pid"] != first["pid"], (first, second)
    memory = {r["what"]: r for r in look(w, "memory")}
    assert memory["resident"]["bytes"] > 1 << 20 and memory["rpc_calls_pool"]["count"] > 0, memory


# ---- state machines

def states__are_drawn_from_the_tables_the_documents_have(w):
    code, out, err = ctl(w, "states")
    assert (code, err) == (0, "")
    diagrams = {re.match(r"%% (\w+)\nstateDiagram-v2\n", d).group(1): d for d in out.split("\n\n")}
    assert set(diagrams) == {"order", "payment", "fulfillment", "shipment", "job", "unit"}, diagrams.keys()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, "docs", "states.md")) as f:
        pages = [row for row in re.findall(r"^\| (\w*) \| (\w+) \| ([^|]+) \|$|", f.read(), re.M) if row[1] not in ("", "to")]
    drawn = re.findall(r"^    (\S+) --> (\w+): (.+)$", out, re.M)
    assert [(a or "[*]", b, re.sub("[:;]", ",", why)) for a, b, why in pages] == drawn and len(drawn) > 70, drawn
    assert "    [*] --> pending: placed\n" in diagrams["order"] and "    completed --> [*]\n" in diagrams["order"]
    assert "pending --> [*]" not in diagrams["order"] and diagrams["order"].count("cancelled --> [*]") == 1
    for line in out.splitlines():
        assert re.fullmatch(r"|%% \w+|stateDiagram-v2|    (\[\*\]|\w+) --> (\[\*\]|\w+)(: [^:;]+)?", line), line


def states_gone_through__are_all_in_the_view(w):
    """The tables of payments, jobs, parcels and fulfilment orders are told by a trigger what really happens."""
    moves = {}
    for row in look(w, "states"):
        moves.setdefault(row["machine"], set()).add((row["from"], row["to"]))
    machines = {"payment": "payment", "job": "job", "shipment": "shipment", "fulfillment_order": "fulfillment", "orders": "order"}
    w.sql("CREATE TABLE public.seen (machine text, a text, b text, UNIQUE NULLS NOT DISTINCT (machine, a, b)); "
          "GRANT ALL ON public.seen TO PUBLIC; "
          "CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          "INSERT INTO public.seen VALUES (TG_ARGV[0], CASE TG_OP WHEN 'UPDATE' THEN OLD.state END, NEW.state) ON CONFLICT DO NOTHING; "
          "RETURN NULL; END $$")
    for t, m in machines.items():  # one table locked at a time: who works there locks them in another order
        w.sql("CREATE TRIGGER see_new AFTER INSERT ON %s FOR EACH ROW EXECUTE FUNCTION public.see('%s'); "
              "CREATE TRIGGER see_move AFTER UPDATE ON %s FOR EACH ROW WHEN (OLD.state <> NEW.state) "
              "EXECUTE FUNCTION public.see('%s')" % (t, m, t, m))
    try:
        done = w.place().order_id
        w.fault(path="/v1/payment_intents", fault="drop_after", count=1)
        unsure = w.place().order_id
        w.place(card="pm_card_chargeDeclined")
        gone = w.place(lines=[("mug", 1)])
        w.cancel(gone.order_id)
        for order in (done, unsure):
            w.until(lambda o=order: w.state(o) == "completed", "delivery")
        w.until(lambda: w.state(gone.order_id) in ("cancelled", "completed"), "the cancel")
        seen = {(m, a or None, b) for m, a, b in w.sql("SELECT machine, a, b FROM public.seen")}
    finally:
        for t in machines:
            w.sql("DROP TRIGGER see_new ON %s; DROP TRIGGER see_move ON %s" % (t, t))
        w.sql("DROP TABLE public.seen")
    assert len(seen) > 20, seen
    assert not [(m, a, b) for m, a, b in seen if (a, b) not in moves[m]], [x for x in seen if x[1:] not in moves[x[0]]]


# ---- what must not be seen

def persons_and_secrets__are_in_no_view(w):
    place = w.pb["place"]
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=1500)
    request = w.order_request(customer="customer-zq", ship_to=place.Address(
        name=PERSON[0], street=PERSON[1], city=PERSON[2], postal_code=PERSON[3], country_code="GB", email=PERSON[4], phone=PERSON[5]))
    secrets = []
    for field, value in own(w).items():
        if field.endswith("_file") and field != "ca_file":
            with open(value) as f:
                secrets += [line.strip() for line in f if line.strip()]
    assert len(secrets) >= 3, secrets
    answers = []
    with locked(w, "LOCK TABLE request IN ACCESS EXCLUSIVE MODE"):
        caller = threading.Thread(target=lambda: answers.append(w.call("OrderService", "PlaceOrder", request)))
        caller.start()
        w.until(lambda: [r for r in look(w, "flows") if r["step"] == "place"], "the placing")
        texts = [http(w, "/show/%s%s" % (v, f))[2] for v in SERVERS for f in ("", "?format=json")]
    caller.join(60)
    order = answers[0].order.order_id
    w.until(lambda: [r for r in look(w, "jobs", "WORKER_HTTP") if r["order"] == order], "its job")
    texts += [http(w, "/show/%s%s" % (v, f), "WORKER_HTTP")[2] for v in WORKERS for f in ("", "?format=json")]
    texts += [inspect(w, v)[0].SerializeToString().decode(errors="replace") for v in SERVERS]
    for word in (*PERSON, "customer-zq", *secrets):
        assert not [t for t in texts if word in t], word
    w.until(lambda: w.state(order) == "completed", "delivery")


def watch_of_a_view__is_drawn_again_until_it_is_stopped(w):
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": w.env["GRPC"]}
    program = os.path.join(w.env["DATA"], "bin", "orderctl")
    drawing = subprocess.Popen([program, "inspect", "--watch", "1", "timers"], env=env, stdout=subprocess.PIPE, text=True)
    too_long = threading.Timer(60, drawing.kill)
    too_long.start()
    try:
        heads = 0
        for line in drawing.stdout:
            heads += line.split() == ["due", "count", "next", "ms"]
            if heads == 2:
                break
        assert heads == 2 and drawing.poll() is None
    finally:
        too_long.cancel()
        drawing.terminate()
        drawing.wait(60)
        drawing.stdout.close()
    for value in ("0", "86401", "x", "-1"):
        assert ctl(w, "--watch", value, "timers")[0] == 2, value


run(list_of_views__is_the_same_everywhere,
    every_view__can_be_looked_at_in_every_way,
    json_or_text__is_what_the_caller_asks_for,
    name_of_no_view__is_refused_and_the_views_are_named,
    other_methods__are_not_taken,
    settings__say_where_they_came_from,
    setting_of_the_environment__is_told,
    flows_in_flight__are_shown_while_postgres_is_held,
    batch_that_was_refused__says_why,
    jobs_at_work__are_shown_with_their_lease,
    watch_of_an_order__is_shown,
    lost_connections__are_shown_with_the_reason,
    process__is_told_from_the_one_before_it,
    states__are_drawn_from_the_tables_the_documents_have,
    states_gone_through__are_all_in_the_view,
    persons_and_secrets__are_in_no_view,
    watch_of_a_view__is_drawn_again_until_it_is_stopped,
    config="log_level = debug\nstatement_timeout_ms = 8000\n")
