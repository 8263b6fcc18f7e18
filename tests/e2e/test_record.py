"""Calls on record: which are, what is told of them, and what happens when that cannot be written."""
import os
import re
import subprocess
import threading
import time
import urllib.request
import uuid

import grpc

from programs import LISTEN, Running, start
from keyed import Keyed
from test_keys import orderctl
from world import ROOT, details_of, run

FLOOD, UNDER_WAY = 20000, 100


def loud_methods():
    with open(os.path.join(ROOT, "server", "auth", "policy_table.h")) as f:
        return re.findall(r'X\("(/\S+)", +"\S*", +LOUD', f.read())


def rows(w, where="true", columns="actor, role, object, status, reason, calls"):
    return w.sql("SELECT %s FROM call_record WHERE %s ORDER BY tenant, seq" % (columns, where))


def of_request(w, request_id, columns="actor, role, object, status, reason, calls"):
    return rows(w, "request_key = '%s'" % request_id, columns)


def outcome(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
        return "OK"
    except grpc.RpcError as e:
        return details_of(e)[0]


def queue(w, verb, request_id=None, **fields):
    ops = w.pb["ops_service"]
    request = getattr(ops, verb + "QueueRequest")(role="shipping", reason="a test", request_id=request_id or str(uuid.uuid4()))
    return outcome(w.call, "OpsService", verb + "Queue", request, **fields)


def requests(w):
    """method -> (request, what it is about) of every privileged call."""
    inv, ops, keys = w.pb["inventory_service"], w.pb["ops_service"], w.pb["key_service"]
    ship, pay = w.pb["shipping_service"], w.pb["payment_service"]
    nobody, rid = str(uuid.uuid4()), lambda: str(uuid.uuid4())
    return {
        "AdjustStock": (inv.AdjustStockRequest(request_id=rid(), location="BER1", sku="mug", delta=-1, kind=1, reason="broken"), None),
        "VoidLabel": (ship.VoidLabelRequest(request_id=rid(), shipment_id=nobody, reason="x"), nobody),
        "RetryPayment": (pay.RetryPaymentRequest(request_id=rid(), order_id=nobody, group=1, payment_method="pm_card_visa"), nobody),
        "RetryJobs": (ops.RetryJobsRequest(request_id=rid(), job_id=nobody), nobody),
        "CancelJob": (ops.CancelJobRequest(request_id=rid(), job_id=nobody), nobody),
        "PauseQueue": (ops.PauseQueueRequest(request_id=rid(), role="shipping", reason="x"), "shipping"),
        "ResumeQueue": (ops.ResumeQueueRequest(request_id=rid(), role="shipping"), "shipping"),
        "ListCallRecords": (ops.ListCallRecordsRequest(), ""),
        "CreateKey": (keys.CreateKeyRequest(request_id=rid(), name="x", role=2), ""),
        "ListKeys": (keys.ListKeysRequest(), ""),
        "RevokeKey": (keys.RevokeKeyRequest(key_id="0" * 16), "0" * 16),
    }


def every_privileged_call__leaves_one_record_of_who_and_what_became_of_it(w):
    asked = requests(w)
    assert {path.rsplit("/")[-1] for path in loud_methods()} == set(asked), "a privileged call that nobody tries here"
    for path in loud_methods():
        service, method = path.split(".")[-1].split("/")
        request, about = asked[method]
        seq = w.number("SELECT coalesce(max(seq), 0) FROM call_record WHERE tenant = 1")
        reason = outcome(w.call, service, method, request)
        found = rows(w, "tenant = 1 AND seq > %d" % seq, "method, actor, role, request_key, reason, calls, object")
        assert len(found) == 1, (method, found)
        assert found[0][:6] == (path, "local", "ops_admin", getattr(request, "request_id", ""), reason, "1"), found
        assert about is None or found[0][6] == about, found
    assert rows(w, "method LIKE '%/AdjustStock'", "reason") == [("OK",)] and w.number("SELECT count(*) FROM call_begun") == 0
    before = w.number("SELECT count(*) FROM call_record")
    assert outcome(w.call, "OrderService", "GetOrder", w.pb["order_service"].GetOrderRequest(order_id=str(uuid.uuid4()))) == "NOT_FOUND"
    w.place()
    assert w.number("SELECT count(*) FROM call_record") == before, "an ordinary call is on no record"
    w.audit()


def request_that_is_none__is_on_record_though_it_was_never_decoded(w):
    method = w.channel.unary_unary("/orderd.v1.OpsService/PauseQueue")
    seq = w.number("SELECT max(seq) FROM call_record WHERE tenant = 1")
    for bad in (b"\xff\xff", b"\x1a\x02\xc3\x28", b"\x1a\x01\x00"):  # no message; request_id: not UTF-8, a NUL
        assert outcome(method, bad, timeout=20) == "INVALID_ARGUMENT"
    w.until(lambda: rows(w, "tenant = 1 AND seq > %d" % seq, "reason, request_key") == [("INVALID_ARGUMENT", "")] * 3, "three records")


def denied_call__leaves_one_record_and_its_caller_is_not_kept_waiting(w):
    with Keyed(w) as k:
        _, credential = k.create("packer", "mes")
        k.becomes(credential, "PERMISSION_DENIED")
        for service, method, request in (("OpsService", "PauseQueue", w.pb["ops_service"].PauseQueueRequest(role="shipping")),
                                         ("OrderService", "ListOrders", w.pb["order_service"].ListOrdersRequest())):
            assert k.refusal(credential, service, method, request)[0] == "PERMISSION_DENIED"
            w.until(lambda: rows(w, "actor = 'key:packer' AND method LIKE '%%/%s'" % method, "role, peer, status, reason, calls") ==
                    [("mes", "ipv4:127.0.0.1", "7", "PERMISSION_DENIED", "1")], "the record of " + method)
        created = rows(w, "method LIKE '%/CreateKey' AND actor = 'key:root'", "object")
        assert created and all(re.fullmatch("[0-9a-z]{16}", kid) for kid, in created), created
        listing = w.pb["ops_service"].ListCallRecordsRequest()
        roles = {role: k.create(role, role)[1] for role in ("ops_read", "ops_write")}
        for role, key in roles.items():
            w.until(lambda: k.outcome(key) != "UNAUTHENTICATED", "a key", patience_s=20)
        assert k.refusal(roles["ops_write"], "OpsService", "ListCallRecords", listing)[0] == "PERMISSION_DENIED"
        assert k.call(roles["ops_read"], "OpsService", "ListCallRecords", listing).records
        assert not w.sql("SELECT 1 FROM call_record r WHERE position('%s' IN r::text) > 0" % credential[-43:])


def metric(server, name):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://%s/metrics" % server.addresses["http"], timeout=10) as f:
        return int(re.search(r"^orderd_%s (\d+)$" % name, f.read().decode(), re.M)[1])


def flood_of_strangers__is_told_in_a_few_rows_and_others_are_served(w):
    with Keyed(w) as k:
        before = w.number("SELECT coalesce(sum(calls), 0) FROM call_record WHERE tenant = 0")
        rows_before = w.number("SELECT count(*) FROM call_record WHERE tenant = 0")
        known, answers, room, begun = [], [], threading.Semaphore(UNDER_WAY), time.monotonic()
        methods = [k.channel.unary_unary("/orderd.v1.OrderService/" + m) for m in ("GetOrder", "ListOrders", "PlaceOrder", "CancelOrder")]

        def ended(future):
            answers.append(future.code().name)
            room.release()

        for i in range(FLOOD):
            room.acquire()
            bearer = "Bearer ord_" + "0" * 16 + "_" + "A" * 43 if i % 2 else "Bearer x"
            methods[i % 4].future(b"", metadata=[("authorization", bearer)], timeout=60).add_done_callback(ended)
            if i % 1000 == 0:
                known.append(k.outcome(k.root))
        for _ in range(UNDER_WAY):
            room.acquire()
        assert known == ["NOT_FOUND"] * len(known), known
        strangers = answers.count("UNAUTHENTICATED")
        assert strangers > FLOOD / 2 and set(answers) <= {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}, set(answers)
        assert metric(k.server, "call_records_waiting") < 50
        assert metric(k.server, "call_records_folded_total") > strangers * 0.9
    assert w.number("SELECT sum(calls) FROM call_record WHERE tenant = 0") - before >= strangers, "a server that ends writes what waits"
    windows = (time.monotonic() - begun) / 10 + 2
    assert w.number("SELECT count(*) FROM call_record WHERE tenant = 0") - rows_before < 5 * windows, "one in ten seconds for those alike"
    told = set(rows(w, "tenant = 0 AND calls > 100", "reason, actor"))
    assert told == {("not_taken", ""), ("unknown_key", "")}, told
    w.audit()


class Locked:
    """Somebody holds a table, so that nobody can write to it."""

    def __init__(self, w, table):
        self.psql = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At", "host=%s dbname=orderd user=postgres" % w.env["SOCKETS"]],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write("BEGIN; LOCK TABLE orderd.%s; SELECT 'held';\n" % table)
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == "held\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.psql.stdin.close()  # the end of its transaction
        self.psql.wait(60)
        self.psql.stdout.close()


def nothing_can_be_begun__privileged_calls_are_not_done_and_ordinary_ones_are(w):
    request_id = str(uuid.uuid4())
    assert queue(w, "Resume") == "OK"
    with Locked(w, "call_begun"):
        assert queue(w, "Pause", request_id) == "NOT_RECORDED"
        w.place()
    assert w.sql("SELECT paused FROM queue WHERE role = 'shipping'") == [("f",)]
    w.until(lambda: of_request(w, request_id, "reason, calls") == [("NOT_RECORDED", "1")], "the record of the refusal")
    assert queue(w, "Pause", request_id) == "OK" and queue(w, "Resume") == "OK"


def end_cannot_be_written__no_ok_is_told_and_the_record_follows(w):
    request_id = str(uuid.uuid4())
    with Locked(w, "call_record"):
        assert queue(w, "Pause", request_id) == "NOT_RECORDED"
        assert w.sql("SELECT paused FROM queue WHERE role = 'shipping'") == [("t",)]
        assert w.number("SELECT count(*) FROM call_begun WHERE request_key = '%s'" % request_id) == 1
        w.place()
    w.until(lambda: of_request(w, request_id, "reason, calls") == [("OK", "1")], "the record")
    assert w.number("SELECT count(*) FROM call_begun") == 0
    assert queue(w, "Pause", request_id) == "OK", "asked again, it is the same"
    assert [reason for reason, in of_request(w, request_id, "reason")] == ["OK", "OK"] and queue(w, "Resume") == "OK"


def server_dies_between__another_records_that_nobody_knows(w):
    request_id = str(uuid.uuid4())
    with Running(w, "orderd", *LISTEN) as server:
        with Locked(w, "call_record"):
            ops = w.pb["ops_service"]
            with grpc.insecure_channel(server.addresses["grpc"]) as there:
                pause = there.unary_unary("/orderd.v1.OpsService/PauseQueue", ops.PauseQueueRequest.SerializeToString)
                under_way = pause.future(ops.PauseQueueRequest(role="shipping", reason="x", request_id=request_id), timeout=60)
                waiting = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO call_record%'"
                w.until(lambda: w.number("SELECT count(*) " + waiting) == 1, "its record on the way")
                assert w.sql("SELECT paused FROM queue WHERE role = 'shipping'") == [("t",)]
                server.process.kill()
                assert under_way.code() is not None
                w.sql("SELECT pg_terminate_backend(pid) " + waiting)  # it would write what it was sent, dead or not
                w.until(lambda: w.number("SELECT count(*) " + waiting) == 0, "the end of that")
        assert of_request(w, request_id) == []
    w.sql("UPDATE call_begun SET since = now() - interval '61 min' WHERE request_key = '%s'" % request_id)
    with Running(w, "orderd", *LISTEN) as next_one:
        w.until(lambda: of_request(w, request_id, "actor, reason, calls") == [("local", "UNKNOWN_OUTCOME", "1")], "its record")
        assert next_one.end() == 0
    assert w.number("SELECT count(*) FROM call_begun") == 0 and queue(w, "Resume") == "OK"


def database_away__privileged_calls_are_refused_and_told_of_later(w):
    request_id = str(uuid.uuid4())
    w.kill("postgres")
    try:
        assert queue(w, "Pause", request_id) == "NOT_RECORDED"
        assert outcome(w.call, "OpsService", "Inspect", w.pb["ops_service"].InspectRequest()) == "OK", "asks no database"
    finally:
        w.again("postgres")
    w.until(lambda: of_request(w, request_id, "reason, calls") == [("NOT_RECORDED", "1")], "the record")
    w.until(lambda: queue(w, "Resume") == "OK", "privileged calls again")


def verify(w, *args):
    code, out, err = start(w, "orderd", "--config=" + os.path.join(w.env["DATA"], "orderd.conf"), "verify-record", *args)
    assert err == "", err
    return code, out


def tampering__is_found_by_who_believes_nothing(w):
    code, out = verify(w)
    head = re.search(r"^tenant 1: whole up to (1:\d+:[0-9a-f]{64})$", out, re.M)
    assert code == 0 and head, out
    assert verify(w, head[1])[0] == 0
    w.until(lambda: queue(w, "Resume") == "OK", "one more")
    assert verify(w, head[1])[0] == 0, "the head that was kept is still in it"
    code, out = verify(w, head[1][:-1] + ("0" if head[1][-1] != "0" else "1"))
    assert code == 1 and "made anew" in out, out
    open_, again = "ALTER TABLE call_record DISABLE TRIGGER USER; ", "; ALTER TABLE call_record ENABLE TRIGGER USER"
    last = "(SELECT max(seq) FROM call_record WHERE tenant = 1)"
    w.sql("CREATE TABLE public.kept AS SELECT * FROM call_record")
    for what, seq, why in (("UPDATE call_record SET object = 'other' WHERE (tenant, seq) = (1, 2)", "2", "changed"),
                           ("DELETE FROM call_record WHERE (tenant, seq) = (1, 3)", "3", "missing"),
                           ("UPDATE call_record SET seq = 5 - seq WHERE tenant = 1 AND seq IN (2, 3)", "2", ""),
                           ("DELETE FROM call_record WHERE (tenant, seq) = (1, %s)" % last, r"\d+", "rows behind it are gone"),
                           ("DELETE FROM call_record WHERE tenant = 1", "1", "every row is gone"),
                           ("UPDATE call_record r SET hash = call_record_hash(r), reason = 'x' WHERE (tenant, seq) = (1, 4)", "4", "changed")):
        w.sql(open_ + "ALTER TABLE call_record DROP CONSTRAINT call_record_pkey; " + what + again)
        try:
            code, out = verify(w)
            assert code == 1 and re.search(r"^tenant 1: broken at seq %s: .*%s" % (seq, why), out, re.M), (what, out)
            with open(os.path.join(ROOT, "db", "audit", "call_record_chain.sql")) as f:
                assert w.sql(f.read()), what
        finally:
            w.sql(open_ + "DELETE FROM call_record; INSERT INTO call_record SELECT * FROM public.kept; "
                  "ALTER TABLE call_record ADD PRIMARY KEY (tenant, seq)" + again)
        assert verify(w)[0] == 0
    # Who makes the whole chain anew is found by the head that somebody kept.
    w.sql(open_ + "DELETE FROM call_record WHERE tenant = 1; DELETE FROM call_chain WHERE tenant = 1" + again + "; "
          "INSERT INTO call_record SELECT * FROM public.kept WHERE tenant = 1 AND seq <> 2 ORDER BY seq")
    assert verify(w)[0] == 0
    code, out = verify(w, head[1])
    assert code == 1 and "the chain was made anew" in out, out


def list__turns_pages_and_says_what_the_table_says(w):
    ops = w.pb["ops_service"]
    got, token = [], ""
    while True:
        page = w.call("OpsService", "ListCallRecords", ops.ListCallRecordsRequest(page_size=4, page_token=token))
        got += page.records
        token = page.next_page_token
        if not token:
            break
    assert [r.seq for r in got] == list(range(got[0].seq, 0, -1)), [r.seq for r in got]
    found = rows(w, "tenant = 1 AND seq <= %d" % got[0].seq, "seq, id, actor, method, object, reason, encode(prev, 'hex'), encode(hash, 'hex')")
    assert [(str(r.seq), r.call_id, r.actor, r.method, r.object, r.reason, r.previous_hash, r.hash) for r in reversed(got)] == found
    wrong = w.refusal("OpsService", "ListCallRecords", ops.ListCallRecordsRequest(page_size=-1, page_token="x"))
    assert wrong[:2] == ("INVALID_ARGUMENT", "INVALID_ARGUMENT") and set(wrong[3]) == {"page_size", "page_token"}, wrong
    with Keyed(w) as k:
        code, out, err = orderctl(w, k, "audit", "list", "--limit", "3", token=k.root)
        assert code == 0 and re.search(r"^SEQ +TIME +ACTOR", out) and len(out.splitlines()) == 4, (out, err)
        code, out, err = orderctl(w, k, "--json", "audit", "list", "--limit", "2", token=k.root)
        assert code == 0 and '"previousHash"' in out.replace("previous_hash", "previousHash"), (out, err)


def heads__are_told_in_the_log(w):
    with Running(w, "orderd", *LISTEN) as server:
        def told():
            with open(server.errors.name) as f:
                return re.findall(r"call_record_head.*tenant=(\d+) seq=(\d+) hash=([0-9a-f]{64})", f.read())
        w.until(told, "the heads")
        heads = {t: (s, h) for t, s, h in told()}
        assert heads["1"] in w.sql("SELECT seq, encode(hash, 'hex') FROM call_record WHERE tenant = 1"), heads
        assert server.end() == 0


if __name__ == "__main__":
    run(every_privileged_call__leaves_one_record_of_who_and_what_became_of_it,
        request_that_is_none__is_on_record_though_it_was_never_decoded,
        denied_call__leaves_one_record_and_its_caller_is_not_kept_waiting, flood_of_strangers__is_told_in_a_few_rows_and_others_are_served,
        nothing_can_be_begun__privileged_calls_are_not_done_and_ordinary_ones_are,
        end_cannot_be_written__no_ok_is_told_and_the_record_follows, server_dies_between__another_records_that_nobody_knows,
        database_away__privileged_calls_are_refused_and_told_of_later, list__turns_pages_and_says_what_the_table_says,
        heads__are_told_in_the_log, tampering__is_found_by_who_believes_nothing)
