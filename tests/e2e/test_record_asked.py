"""What an auditor does with calls on record: ask for some of them, verify the chain, keep its head, and let the oldest go."""
import json
import os
import re
import subprocess
import sys
import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from keyed import Keyed
from programs import LISTEN, Running, program
from test_keys import orderctl
from test_record import outcome, queue, verify
from world import ROOT, run

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from sqlworld import aged_records  # noqa: E402

STRETCH = 500  # records that one call verifies


def ctl(w, *args, server=None):
    done = subprocess.run([program(w, "orderctl"), *args], env={"PATH": os.environ["PATH"], "ORDERD_SERVER": server or w.env["GRPC"]},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def request(w, **asked):
    return w.pb["ops_service"].ListCallRecordsRequest(**asked)


def listed(w, **asked):
    """All pages: [record]."""
    got, token = [], ""
    while True:
        page = w.call("OpsService", "ListCallRecords", request(w, page_token=token, **asked))
        got += page.records
        token = page.next_page_token
        if not token:
            return got


def verified(w, **asked):
    """All stretches: [response]."""
    ops, got, token = w.pb["ops_service"], [], ""
    while True:
        got.append(w.call("OpsService", "VerifyCallRecords", ops.VerifyCallRecordsRequest(page_token=token, **asked)))
        token = got[-1].next_page_token
        if not token:
            return got


def head(w, tenant=1):
    """As the database has it: (seq, hash)."""
    (seq, hash_), = w.sql("SELECT seq, encode(hash, 'hex') FROM call_chain WHERE tenant = %d" % tenant)
    return int(seq), hash_


def append(w, n, tenant=1, **columns):
    """Rows as a server writes them."""
    row = dict(dict(actor="key:root", method="/orderd.v1.OpsService/PauseQueue", object="payment", status="0", reason="OK"), **columns)
    w.sql("INSERT INTO call_record (tenant, id, at, actor, role, peer, method, object, status, reason, calls, trace) SELECT %d, "
          "gen_random_uuid(), now(), '%s', 'ops_admin', 'unix:', '%s', '%s', %s, '%s', 1, 'none' FROM generate_series(1, %d)"
          % (tenant, row["actor"], row["method"], row["object"], row["status"], row["reason"], n))


def auditor__asks_what_about_by_whom_and_when(w):
    about = str(uuid.uuid4())
    for reason in ("JOB_RUNNING", "OK"):
        append(w, 2, actor="key:night", object=about, method="/orderd.v1.OpsService/CancelJob", reason=reason, status=str(9 * (reason != "OK")))
    append(w, 3, actor="key:night", method="/orderd.v1.OrderService/ListOrders", reason="PERMISSION_DENIED", status="7", object="")
    append(w, 5)
    whole = listed(w)
    assert len(whole) >= 12 and [r.seq for r in whole] == list(range(whole[0].seq, 0, -1))

    def those(like):
        return [r.seq for r in whole if like(r)]

    for asked, like in ((dict(object=about), lambda r: r.object == about),
                        (dict(actor="key:night"), lambda r: r.actor == "key:night"),
                        (dict(method="CancelJob"), lambda r: r.method.endswith("/CancelJob")),
                        (dict(method="/orderd.v1.OpsService/CancelJob"), lambda r: r.method.endswith("/CancelJob")),
                        (dict(reason="JOB_RUNNING"), lambda r: r.reason == "JOB_RUNNING"),
                        (dict(outcome="CALL_OUTCOME_REFUSED"), lambda r: r.status == 7),
                        (dict(outcome="CALL_OUTCOME_FAILED"), lambda r: r.status == 9),
                        (dict(outcome="CALL_OUTCOME_OK", actor="key:night"), lambda r: r.status == 0 and r.actor == "key:night"),
                        (dict(object=about, reason="OK", method="CancelJob"), lambda r: r.object == about and r.status == 0),
                        (dict(object="nothing"), lambda r: False)):
        for size in (1, 2, 50):
            got = [r.seq for r in listed(w, page_size=size, recorded_before=after(whole[0]), **asked)]
            assert got == those(like), (asked, size, got, those(like))
    assert those(lambda r: r.object == about) and those(lambda r: r.status == 7)
    first, last = whole[9].record_time, whole[3].record_time
    got = listed(w, recorded_after=first, recorded_before=last)
    assert got and [r.seq for r in got] == those(lambda r: first.ToNanoseconds() <= r.record_time.ToNanoseconds() < last.ToNanoseconds())
    assert listed(w, recorded_after=Timestamp(seconds=4000000000)) == []
    for wrong, field in ((dict(method="PauseQeue"), "method"), (dict(recorded_after=last, recorded_before=last), "recorded_before"),
                         (dict(actor="x" * 129), "actor"), (dict(outcome=77), "outcome"), (dict(object="a\0b"), "object")):
        status, _, _, fields = w.refusal("OpsService", "ListCallRecords", request(w, **wrong))
        assert status == "INVALID_ARGUMENT" and set(fields) == {field}, (wrong, status, fields)


def after(record):
    t = Timestamp()
    t.FromNanoseconds(record.record_time.ToNanoseconds() + 1000)
    return t


def token__is_of_its_own_filter_alone(w):
    append(w, 9, actor="key:night")
    token = w.call("OpsService", "ListCallRecords", request(w, actor="key:night", page_size=2)).next_page_token
    assert w.call("OpsService", "ListCallRecords", request(w, actor="key:night", page_size=3, page_token=token)).records
    for other in ({}, dict(actor="key:root"), dict(actor="key:night", method="PauseQueue"), dict(object="key:night"),
                  dict(actor="key:night", outcome="CALL_OUTCOME_OK"), dict(actor="key:night", recorded_after=Timestamp(seconds=1))):
        fields = w.refusal("OpsService", "ListCallRecords", request(w, page_size=2, page_token=token, **other))[3]
        assert set(fields) == {"page_token"}, (other, fields)


def chain__is_verified_a_stretch_at_a_time_while_it_grows(w):
    append(w, 2 * STRETCH)
    ops = w.pb["ops_service"]
    one = w.call("OpsService", "VerifyCallRecords", ops.VerifyCallRecordsRequest())
    assert (one.verified, one.seq, one.broken_seq) == (STRETCH, STRETCH, 0) and one.next_page_token, one
    append(w, 3)
    rest = verified(w)
    assert [r.verified for r in rest[:-1]] == [STRETCH] * (len(rest) - 1) and sum(r.verified for r in rest) == rest[-1].seq
    assert (rest[-1].seq, rest[-1].hash, rest[-1].broken_seq, rest[-1].removed_seq) == head(w) + (0, 0), rest[-1]
    before = head(w)
    assert before == head(w), "verifying is no call on record"
    # A head that was kept is found in whichever stretch it is; another at its place, or behind the end, is not.
    (kept_hash,), = w.sql("SELECT encode(hash, 'hex') FROM call_record WHERE (tenant, seq) = (1, %d)" % (STRETCH + 7))
    for seq, hash_, told in ((STRETCH + 7, kept_hash, 1), (STRETCH + 8, kept_hash, 2), (before[0], before[1], 1), (before[0] + 1, before[1], 2),
                             (1, kept_hash, 2)):
        got = verified(w, kept_seq=seq, kept_hash=hash_)
        assert [r.kept for r in got if r.kept] == [told] and got[-1].broken_seq == 0, (seq, got)
    token = w.call("OpsService", "VerifyCallRecords", ops.VerifyCallRecordsRequest(kept_seq=1, kept_hash=kept_hash)).next_page_token
    for wrong, field in ((dict(kept_seq=-1, kept_hash=kept_hash), "kept_seq"), (dict(kept_hash=kept_hash), "kept_seq"),
                         (dict(kept_seq=1), "kept_hash"), (dict(kept_seq=1, kept_hash="z" * 64), "kept_hash"),
                         (dict(kept_seq=1, kept_hash="a" * 65), "kept_hash"), (dict(page_token="x"), "page_token"),
                         (dict(page_token=token), "page_token"), (dict(kept_seq=2, kept_hash=kept_hash, page_token=token), "page_token")):
        status, _, _, fields = w.refusal("OpsService", "VerifyCallRecords", ops.VerifyCallRecordsRequest(**wrong))
        assert status == "INVALID_ARGUMENT" and set(fields) == {field}, (wrong, status, fields)


OPEN, CLOSE = "ALTER TABLE call_record DISABLE TRIGGER USER; ", "; ALTER TABLE call_record ENABLE TRIGGER USER"


def tampering__is_told_to_who_asks_with_the_number_of_the_first_broken_link(w):
    append(w, STRETCH + 20)
    seq, hash_ = head(w)
    code, out, err = ctl(w, "audit", "verify", "--head", "%d:%s" % (seq, hash_))
    assert code == 0 and re.search(r"^Head +%d:%s$" % (seq, hash_), out, re.M) and "it is in the chain" in out, (code, out, err)
    w.sql("CREATE TABLE public.kept_chain AS SELECT * FROM call_record WHERE tenant = 1")
    far = STRETCH + 9
    for what, at, why in (("UPDATE call_record SET actor = 'key:nobody' WHERE (tenant, seq) = (1, %d)" % far, far, "changed"),
                          ("DELETE FROM call_record WHERE (tenant, seq) = (1, %d)" % far, far, "missing"),
                          ("DELETE FROM call_record WHERE (tenant, seq) = (1, 1)", 1, "missing"),
                          ("UPDATE call_record r SET object = 'x', hash = call_record_hash(r) WHERE (tenant, seq) = (1, 4)", 4, "changed"),
                          ("DELETE FROM call_record WHERE (tenant, seq) = (1, %d)" % seq, seq - 1, "rows behind it are gone"),
                          ("DELETE FROM call_record WHERE tenant = 1", 1, "rows behind it are gone")):
        w.sql(OPEN + what + CLOSE)
        try:
            last = verified(w)[-1]
            assert last.broken_seq == at and why in last.broken_why and not last.next_page_token, (what, last)
            code, out, err = ctl(w, "audit", "verify")
            assert code == 7 and re.search(r"^Broken +at %d: .*%s" % (at, why), out, re.M), (what, code, out, err)
            assert verify(w)[0] == 1, what
        finally:
            w.sql(OPEN + "DELETE FROM call_record WHERE tenant = 1; INSERT INTO call_record SELECT * FROM public.kept_chain" + CLOSE)
    # Who makes the chain anew is found by the head that was kept.
    w.sql(OPEN + "DELETE FROM call_record WHERE tenant = 1; DELETE FROM call_chain WHERE tenant = 1" + CLOSE +
          "; INSERT INTO call_record SELECT * FROM public.kept_chain WHERE seq <> 2 ORDER BY seq")
    assert ctl(w, "audit", "verify")[0] == 0
    code, out, err = ctl(w, "audit", "verify", "--head", "%d:%s" % (seq, hash_))
    assert code == 7 and "it is not in the chain" in out, (code, out, err)
    code, out, err = ctl(w, "--json", "audit", "verify")
    assert code == 0 and len(out.splitlines()) == len(verified(w)) and '"next_page_token"' in out, (code, out, err)
    for wrong in ("x", "1:", ":" + hash_, "0:" + hash_):
        assert ctl(w, "audit", "verify", "--head", wrong)[0] == 2, wrong


def tenants__ask_and_verify_each_its_own_and_those_alone_who_may_read(w):
    append(w, STRETCH + 20)
    append(w, 20, actor="key:night", status="7", reason="PERMISSION_DENIED")
    with Keyed(w) as k:
        second, ops = k.second_tenant(), w.pb["ops_service"]
        roles = {role: k.create(role, role)[1] for role in ("ops_read", "ops_write", "service")}
        for key in roles.values():
            w.until(lambda: k.outcome(key) != "UNAUTHENTICATED", "a key", patience_s=20)
        asked = ops.VerifyCallRecordsRequest()
        for role, wanted in (("ops_read", None), ("ops_write", "PERMISSION_DENIED"), ("service", "PERMISSION_DENIED")):
            if wanted is None:
                k.call(roles[role], "OpsService", "VerifyCallRecords", asked)
            else:
                assert k.refusal(roles[role], "OpsService", "VerifyCallRecords", asked)[0] == wanted, role
        w.until(lambda: w.number("SELECT count(*) FROM call_record WHERE method LIKE '%/VerifyCallRecords'") == 2, "the refusals on record")
        k.call(second, "OpsService", "ListCallRecords", ops.ListCallRecordsRequest())
        seq, hash_ = head(w, 2)
        got = k.call(second, "OpsService", "VerifyCallRecords", asked)
        assert (got.seq, got.hash, got.broken_seq) == (seq, hash_, 0) and seq < STRETCH, got
        for asked in (dict(actor="key:night"), dict(object="payment"), dict(outcome="CALL_OUTCOME_REFUSED")):
            assert not k.call(second, "OpsService", "ListCallRecords", ops.ListCallRecordsRequest(**asked)).records, asked
        token = k.call(k.root, "OpsService", "VerifyCallRecords", ops.VerifyCallRecordsRequest()).next_page_token
        assert k.refusal(second, "OpsService", "VerifyCallRecords", ops.VerifyCallRecordsRequest(page_token=token))[0] == "INVALID_ARGUMENT"
        code, out, err = orderctl(w, k, "audit", "list", "--outcome", "refused", "--method", "VerifyCallRecords", "--all", token=k.root)
        assert code == 0 and len(out.splitlines()) == 3 and "key:ops_write" in out, (code, out, err)
        assert orderctl(w, k, "audit", "verify", token=roles["ops_write"])[0] == 6


def heads__are_a_view_that_somebody_else_can_keep(w):
    append(w, 1, tenant=2)
    assert queue(w, "Resume") == "OK"
    with Running(w, "orderd", *LISTEN) as server:
        def shown():
            code, out, err = ctl(w, "--json", "inspect", "chains", server=server.addresses["grpc"])
            assert code == 0, err
            view = json.loads(out)
            names = [column["name"] for column in view["columns"]]
            return {row["tenant"]: row for row in (dict(zip(names, row["cells"])) for row in view.get("rows", []))}

        w.until(shown, "the heads, which it reads when it starts")
        rows = shown()
        assert server.end() == 0
    for tenant in ("1", "2"):
        assert (int(rows[tenant]["seq"]), rows[tenant]["hash"]) == head(w, int(tenant)) and int(rows[tenant]["read_ms"]) >= 0, rows
    code, out, err = ctl(w, "audit", "verify", "--head", rows["1"]["seq"] + ":" + rows["1"]["hash"])
    assert code == 0 and "it is in the chain" in out, (out, err)


def days__are_kept_and_what_is_older_goes_on_record(w):
    append(w, STRETCH + 20)
    seq, _ = head(w)
    w.sql(aged_records(1, seq - 10, 60))
    (last,), = w.sql("SELECT encode(hash, 'hex') FROM call_record WHERE (tenant, seq) = (1, %d)" % (seq - 10))
    (old,), = w.sql("SELECT encode(hash, 'hex') FROM call_record WHERE (tenant, seq) = (1, 5)")
    one = w.call("OpsService", "VerifyCallRecords", w.pb["ops_service"].VerifyCallRecordsRequest())
    assert one.next_page_token and not one.removed_seq
    with Running(w, "orderd-worker", "--http-listen=127.0.0.1:0", "--call-record-days=40") as worker:
        w.until(lambda: w.number("SELECT min(seq) FROM call_record WHERE tenant = 1") == seq - 9, "the oldest to go")
        assert worker.end() == 0 and "call_records_removed" in worker.log()
    rest = verified(w)
    assert (rest[-1].verified, rest[-1].removed_seq, rest[-1].broken_seq) == (11, seq - 10, 0), rest
    mark = listed(w, method="retention")
    assert [(r.actor, r.object, r.calls, r.reason) for r in mark] == [("janitor", "%d:%s" % (seq - 10, last), seq - 10, "OK")], mark
    assert verify(w)[0] == 0
    w.audit()
    # What was verified up to 500 before the removal is gone on with behind it.
    on = w.call("OpsService", "VerifyCallRecords", w.pb["ops_service"].VerifyCallRecordsRequest(page_token=one.next_page_token))
    assert on.broken_seq == 0 and on.removed_seq == seq - 10 and not on.next_page_token, on
    # A head that was removed cannot be told of; the last that was removed can.
    for kept, told, code in (("5:" + old, "nobody can tell", 4), ("%d:%s" % (seq - 10, last), "it is in the chain", 0),
                             ("%d:%s" % (seq - 10, old), "it is not in the chain", 7)):
        got = ctl(w, "audit", "verify", "--head", kept)
        assert got[0] == code and told in got[1] and re.search(r"^Removed +those up to %d" % (seq - 10), got[1], re.M), (kept, got)
    # Without the mark it is a break like any other.
    w.sql(OPEN + "UPDATE call_record SET object = '%d:%s' WHERE tenant = 1 AND method = 'retention'" % (seq - 11, last) + CLOSE)
    assert verified(w)[-1].broken_seq == seq - 10 and verify(w)[0] == 1


if __name__ == "__main__":
    run(auditor__asks_what_about_by_whom_and_when, token__is_of_its_own_filter_alone, chain__is_verified_a_stretch_at_a_time_while_it_grows,
        tenants__ask_and_verify_each_its_own_and_those_alone_who_may_read, heads__are_a_view_that_somebody_else_can_keep,
        tampering__is_told_to_who_asks_with_the_number_of_the_first_broken_link, days__are_kept_and_what_is_older_goes_on_record)
