#!/usr/bin/python3
"""Calls on record: appended by several at once they are one chain per tenant, and what is there stays as it is.

usage: sql_record.py SQLGEN [unittest arguments]
"""

import hashlib
import os
import random
import sys
import threading
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import Server, SqlError, Store, statements  # noqa: E402
from sqlworld import aged_records, audit  # noqa: E402

BATCHES, TENANTS = 150, (0, 1, 2)
HASHED = ("tenant", "seq", "id", "at_us", "recorded_us", "actor", "role", "peer", "method", "request_key", "object", "status",
          "reason", "calls", "trace")


def call(tenant=1, **more):
    return {"tenant": tenant, "call_id": str(uuid.uuid4()), "at": "2026-01-02 03:04:05.678901+00", "actor": "key:root",
            "role": "ops_admin", "peer": "ipv4:127.0.0.1", "method": "/orderd.v1.OpsService/PauseQueue", "request_key": "r1",
            "trace": "none", **more}


def record(tenant=1, **more):
    return ("call_recorded", {"object": "payment", "status": 0, "reason": "OK", "calls": 1, **call(tenant, **more)}, [])


def link(prev, row):
    """A row's hash as db/migrations/0013 says it is, by another hand."""
    fields = ["orderd.call_record.1", prev] + [row[name] for name in HASHED]
    text = b"".join(b"\xff" * 4 if f is None else len(f.encode()).to_bytes(4, "big") + f.encode() for f in fields)
    return hashlib.sha256(text).hexdigest()


class Record(unittest.TestCase):
    def setUp(self):
        self.name = "record_" + uuid.uuid4().hex[:8]
        SERVER.database(self.name)
        self.session, self.store = self.open()

    def open(self):
        session = SERVER.session(self.name)
        self.addCleanup(session.close)
        return session, Store(session, SQL)

    def page(self, **asked):
        return self.store.read("call_list", {"tenant": 1, "before": 2 ** 63 - 1, "scan": 1000, "most": 50, **asked})

    def listed(self, **asked):
        return [int(row["seq"]) for row in self.page(**asked) if row["hit"] == "t"]

    def rows(self, tenant):
        names = HASHED + ("prev", "hash")
        found = self.session.query(f"""SELECT tenant, seq, id, (extract(epoch FROM at) * 1000000)::int8,
            (extract(epoch FROM recorded_at) * 1000000)::int8, actor, role, peer, method, request_key, object, status, reason, calls,
            trace, encode(prev, 'hex'), encode(hash, 'hex') FROM call_record WHERE tenant = {tenant} ORDER BY seq""")
        return [dict(zip(names, row)) for row in found]

    def check_chain(self, tenant, cut="0:" + "00" * 32):
        (first, prev), rows = cut.split(":"), self.rows(tenant)
        for seq, row in enumerate(rows, int(first) + 1):
            self.assertEqual((row["seq"], row["prev"], row["hash"]), (str(seq), prev, link(prev, row)))
            prev = row["hash"]
        self.assertEqual(self.session.query(f"SELECT seq, encode(hash, 'hex') FROM call_chain WHERE tenant = {tenant}"),
                         [[rows[-1]["seq"], prev]])
        return rows

    def append(self, seed, failures):
        try:
            rng, (_, store) = random.Random(seed), self.open()
            for _ in range(BATCHES):
                store.run([record(rng.choice(TENANTS), actor=f"key:{seed}") for _ in range(rng.randint(1, 4))])
        except Exception as e:  # noqa: BLE001: told by the test's own thread
            failures.append(e)

    def test_two_processes_append_at_once__one_chain_per_tenant_without_a_gap(self):
        failures = []
        threads = [threading.Thread(target=self.append, args=(seed, failures)) for seed in (1, 2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])
        rows = [row for tenant in TENANTS for row in self.check_chain(tenant)]
        self.assertEqual(len({row["id"] for row in rows}), len(rows))
        self.assertEqual({row["actor"] for row in rows}, {"key:1", "key:2"})
        self.assertEqual(audit(self.session, "call_record_chain"), [])

    def test_a_unit_asked_twice__leaves_one_row(self):
        once = record()
        for units in ([once], [once], [once, record(), once]):
            self.store.run(units)
        self.assertEqual(len(self.check_chain(1)), 2)

    def test_what_has_begun__is_there_until_it_is_on_record(self):
        begun = call()
        self.store.run([("call_begun", begun, [])])
        self.store.run([("call_begun", begun, [])])
        self.assertEqual(self.store.read("calls_lapsed", {"most": 10}), [])
        self.session.query("UPDATE call_begun SET since = now() - interval '61 min'")
        self.assertEqual([row["call_id"] for row in self.store.read("calls_lapsed", {"most": 10})], [begun["call_id"]])
        self.store.run([record(call_id=begun["call_id"])])
        self.assertEqual(self.session.one("SELECT count(*) FROM call_begun"), "0")

    def test_a_row__is_neither_changed_nor_removed(self):
        self.store.run([record()])
        for wrong in ("UPDATE call_record SET actor = 'key:nobody'", "DELETE FROM call_record", "TRUNCATE call_record",
                      "UPDATE call_record SET calls = 2 WHERE false"):
            with self.assertRaises(SqlError) as refused:
                self.session.query(wrong)
            self.assertEqual(refused.exception.state, "42501", wrong)
        self.check_chain(1)

    def test_who_writes_a_number_and_a_hash_of_his_own__is_chained_all_the_same(self):
        self.session.query("""INSERT INTO call_record (tenant, seq, id, at, recorded_at, actor, role, peer, method, object, status,
            reason, calls, trace, prev, hash) VALUES (1, 77, gen_random_uuid(), now(), now(), 'a', '', '', '', '', 0, '', 1, '',
            '\\x00', '\\x00')""")
        self.assertEqual(len(self.check_chain(1)), 1)

    def test_two_rows_that_differ__never_give_the_same_bytes(self):
        one = self.session.query("""SELECT DISTINCT call_record_hash(r) FROM (VALUES ('ab', 'c', ''), ('a', 'bc', ''), ('', 'abc', ''),
            ('abc', '', ''), ('ab', '', 'c')) v(actor, role, peer), LATERAL (SELECT (1, 1, '00000000-0000-0000-0000-000000000000',
            now(), now(), actor, role, peer, '', NULL, '', 0, '', 1, '', '\\x00', '\\x00')::call_record AS r) x""")
        self.assertEqual(len(one), 5)

    def test_a_list__is_the_tenants_own_and_goes_backward(self):
        self.store.run([record(1) for _ in range(5)] + [record(2)])
        self.assertEqual(self.listed(most=3), [5, 4, 3])
        self.assertEqual(self.listed(most=3, before=3), [2, 1])
        self.assertEqual(self.listed(tenant=3), [])
        heads = self.store.read("call_heads", {"most": 10})
        self.assertEqual([(row["tenant"], row["seq"]) for row in heads], [("1", "5"), ("2", "1")])

    def test_a_filter__gives_what_matches_and_nothing_else__alone_and_together(self):
        kinds = [dict(actor=a, method=m, object=o, status=s, reason=r) for a in ("key:a", "key:b") for m in ("/x", "/y") for o in ("", "o1")
                 for s, r in ((0, "OK"), (7, "PERMISSION_DENIED"), (9, "JOB_RUNNING"))]
        kinds = kinds * 3
        random.Random(7).shuffle(kinds)
        for kind in kinds:
            self.store.run([record(1, **kind), record(2, **kind)])
        times = [row["recorded_at"] for row in self.page(most=1000)][::-1]
        outcome = {0: "ok", 7: "refused", 9: "failed"}
        rng = random.Random(8)
        for _ in range(300):
            asked = {k: rng.choice(("key:a", "/x", "o1", "PERMISSION_DENIED", "nobody") if k == "actor" else v) for k, v in (
                ("actor", ("key:a",)), ("method", ("/x",)), ("object", ("o1",)), ("reason", ("OK", "JOB_RUNNING")),
                ("outcome", tuple(outcome.values()))) if rng.random() < 0.4}
            a, b = sorted(rng.sample(range(len(kinds)), 2))
            if rng.random() < 0.4:
                asked["since"] = times[a]
            if rng.random() < 0.4:
                asked["until"] = times[b]
            wanted = [n + 1 for n, kind in enumerate(kinds)
                      if all(asked.get(k, kind[k]) == kind[k] for k in ("actor", "method", "object", "reason"))
                      and asked.get("outcome", outcome[kind["status"]]) == outcome[kind["status"]]
                      and ("since" not in asked or n >= a) and ("until" not in asked or n < b)]
            self.assertEqual(self.listed(**asked, most=100), wanted[::-1], asked)

    def test_a_filter_without_an_index__looks_at_so_many_rows_and_says_where_it_ended(self):
        self.store.run([record(1, actor="key:a", status=9 if n == 0 else 0) for n in range(30)])
        page = self.page(outcome="failed", scan=10)
        self.assertEqual([(row["seq"], row["hit"], row["full"]) for row in page], [("21", "f", "t")])
        page = self.page(outcome="failed", actor="key:a", scan=10, before=11)
        self.assertEqual([(row["seq"], row["hit"], row["full"]) for row in page], [("1", "t", "t")])
        self.assertEqual(self.page(outcome="failed", actor="key:a", scan=10, before=1), [])

    def test_a_stretch_to_verify__is_what_is_hashed__and_says_when_there_is_none(self):
        self.store.run([record(1, request_key=None if n else "r", object="Grün") for n in range(4)] + [record(2)])
        got = self.store.read("call_verify", {"tenant": 1, "after": 1, "most": 2})
        self.assertEqual([row["seq"] for row in got], ["2", "3"])
        prev = self.rows(1)[0]["hash"]
        for row in got:
            self.assertEqual((row["prev"], row["hash"]), (prev, link(prev, {**row, "id": row["call_id"]})))
            prev = row["hash"]
        head = self.rows(1)[-1]
        self.assertEqual({(row["head_seq"], row["head_hash"], row["cut"]) for row in got}, {("4", head["hash"], None)})
        none, = self.store.read("call_verify", {"tenant": 1, "after": 4, "most": 2})
        self.assertEqual((none["seq"], none["head_seq"]), (None, "4"))
        none, = self.store.read("call_verify", {"tenant": 3, "after": 0, "most": 2})
        self.assertEqual((none["seq"], none["head_seq"]), (None, None))

    def cut(self, days, most=1000):
        return int(self.store.ask("call_record_cut", {"keep_days": days, "most": most})[0]["gone"])

    def test_rows_older_than_they_are_kept__leave_and_the_chain_says_so_and_holds(self):
        self.store.run([record(tenant) for tenant in (1, 2) for _ in range(9)])
        self.assertEqual(self.cut(40), 0, "nothing is so old")
        self.session.query(aged_records(1, 6, 60))
        last = self.rows(1)[5]
        self.assertEqual((self.cut(80), self.cut(60), self.cut(40)), (0, 0, 6), "not before a day's worth is due")
        rows = self.check_chain(1, "6:" + last["hash"])
        self.assertEqual([row["seq"] for row in rows], ["7", "8", "9", "10"])
        self.assertEqual([rows[-1][k] for k in ("actor", "method", "object", "calls")], ["janitor", "retention", "6:" + last["hash"], "6"])
        self.assertEqual(len(self.check_chain(2)), 9)
        self.assertEqual(audit(self.session, "call_record_chain"), [])
        # Once more, and a stretch at a time: what the first removal wrote is removed as well.
        self.store.run([record(1) for _ in range(2)])
        self.session.query(aged_records(1, 11, 60))
        kept = {row["seq"]: row["hash"] for row in self.rows(1)}
        self.assertEqual((self.cut(40, 3), self.cut(40, 3), self.cut(40, 3)), (3, 2, 0))
        self.assertEqual([row["seq"] for row in self.check_chain(1, "11:" + kept["11"])], ["12", "13", "14"])
        self.assertEqual(audit(self.session, "call_record_chain"), [])

    def test_what_is_younger_than_thirty_days__leaves_on_nobodys_word(self):
        self.store.run([record() for _ in range(5)])
        self.session.query(aged_records(1, 3, 29))
        self.assertEqual((self.cut(1), self.cut(0), self.cut(-5)), (0, 0, 0))
        said = record(actor="janitor", method="retention", object="4:" + self.rows(1)[3]["hash"])
        self.store.run([said])  # a program that says so by itself
        for seq in (1, 4, 5):
            self.assertRefused("42501", f"DELETE FROM call_record WHERE (tenant, seq) = (1, {seq})")
        self.session.query(aged_records(1, 5, 31))
        self.assertRefused("42501", "DELETE FROM call_record WHERE (tenant, seq) = (1, 5)")  # old, and not said

    def test_nobody_but_a_worker__may_have_rows_removed__and_he_by_no_other_way(self):
        self.store.run([record() for _ in range(3)])
        self.session.query(aged_records(1, 2, 60))
        for role, wrong in (("orderd_server", "SELECT call_record_cut(40, 10)"), ("orderd_audit", "SELECT call_record_cut(40, 10)"),
                            ("orderd_worker", "DELETE FROM call_record"), ("orderd_server", "DELETE FROM call_record"),
                            ("orderd_worker", "ALTER TABLE call_record DISABLE TRIGGER ALL")):
            self.assertRefused("42501", f"SET ROLE {role}; SET app.tenants = '*'; {wrong}")
        for days, most in ((40, 0), (40, 10001), (40, -1)):
            self.assertRefused("22023", f"SELECT call_record_cut({days}, {most})")
        self.assertEqual(len(self.check_chain(1)), 3)
        self.assertEqual(self.cut(40), 2)

    def assertRefused(self, state, sql):
        with self.assertRaises(SqlError) as refused:
            self.session.query(sql)
        self.session.query("RESET ROLE; RESET app.tenants")
        self.assertEqual(refused.exception.state, state, sql)


if __name__ == "__main__":
    SQL = statements(sys.argv.pop(1))
    with Server() as SERVER:
        unittest.main(verbosity=2, exit=False).result.wasSuccessful() or sys.exit(1)
