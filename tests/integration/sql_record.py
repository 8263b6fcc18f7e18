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
from sqlworld import audit  # noqa: E402

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

    def rows(self, tenant):
        names = HASHED + ("prev", "hash")
        found = self.session.query(f"""SELECT tenant, seq, id, (extract(epoch FROM at) * 1000000)::int8,
            (extract(epoch FROM recorded_at) * 1000000)::int8, actor, role, peer, method, request_key, object, status, reason, calls,
            trace, encode(prev, 'hex'), encode(hash, 'hex') FROM call_record WHERE tenant = {tenant} ORDER BY seq""")
        return [dict(zip(names, row)) for row in found]

    def check_chain(self, tenant):
        prev, rows = "00" * 32, self.rows(tenant)
        for seq, row in enumerate(rows, 1):
            self.assertEqual((row["seq"], row["prev"], row["hash"]), (str(seq), prev, link(prev, row)))
            prev = row["hash"]
        self.assertEqual(self.session.query(f"SELECT seq, encode(hash, 'hex') FROM call_chain WHERE tenant = {tenant}"),
                         [[str(len(rows)), prev]])
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
                      "DELETE FROM call_record WHERE false"):
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
        page = self.store.read("call_list", {"tenant": 1, "before": 2 ** 63 - 1, "most": 3})
        self.assertEqual([row["seq"] for row in page], ["5", "4", "3"])
        self.assertEqual([row["seq"] for row in self.store.read("call_list", {"tenant": 1, "before": 3, "most": 3})], ["2", "1"])
        self.assertEqual(self.store.read("call_list", {"tenant": 3, "before": 9, "most": 3}), [])
        heads = self.store.read("call_heads", {"most": 10})
        self.assertEqual([(row["tenant"], row["seq"]) for row in heads], [("1", "5"), ("2", "1")])


if __name__ == "__main__":
    SQL = statements(sys.argv.pop(1))
    with Server() as SERVER:
        unittest.main(verbosity=2, exit=False).result.wasSuccessful() or sys.exit(1)
