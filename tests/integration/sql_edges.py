#!/usr/bin/python3
"""What the database and C both know is the same: states and legal moves (core/domain/order_table.h, bucket_table.h), what
customers are told of (workers/notification/template_table.h), how an id is laid out (core/base/id.h), and how parcels
are numbered (core/domain/sscc.h).

usage: sql_edges.py SQL_EDGES_PRINT
"""

import os
import re
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import Server, documented_moves  # noqa: E402


def domain(program):
    """(axis -> states, axis -> edges, {(prefix, serial, number)}, {(event kind, detail or "*", template)})"""
    states, edges, ssccs, mails = {}, {"order": set(), "bucket": set()}, set(), set()
    for line in subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        what, axis, *names = line.split()
        if what == "state":
            states.setdefault(axis, []).append(names[0])
        elif what == "sscc":
            ssccs.add((axis, *names))
        elif what == "mail":
            mails.add((axis, *names))
        else:
            edges[axis].add(tuple(names))
    return states, edges, ssccs, mails


def texts(definition):
    """Every quoted word of a constraint or function as the catalogue spells it."""
    return set(re.findall(r"'([a-z_>]+)'", definition))


def check(what, ours, theirs):
    assert ours == theirs, f"{what}: only in the domain {sorted(ours - theirs)}, only in the database {sorted(theirs - ours)}"
    print("ok", what, len(ours), flush=True)


def compare(db, states, edges):
    for axis, column in (("order", "state"), ("payment", "payment_state"), ("fulfillment", "fulfillment_state")):
        text = db.one(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'orders_{column}_check'")
        check(f"states of {axis}", set(states[axis]), texts(text))
    for axis in ("order", "bucket"):
        names = ", ".join(f"('{s}')" for s in states[axis])
        rows = db.query(f"SELECT f.s, t.s FROM (VALUES {names}) f(s), (VALUES {names}) t(s) WHERE {axis}_edge(f.s, t.s)")
        check(f"edges of {axis}", edges[axis], {tuple(r) for r in rows})
        # the function's own words: an edge between states that are no states here would not show above
        body = db.one(f"SELECT pg_get_functiondef('{axis}_edge'::regproc)")
        check(f"words of {axis}_edge", {f"{f}>{t}" for f, t in edges[axis]}, {w for w in texts(body) if len(w) > 1 and ">" in w})


def compare_machines(db):
    """Each state a payment, parcel, fulfilment order or job can have is gone to by some documented move, and no other is."""
    for table, moves in documented_moves().items():
        text = db.one(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{table}_state_check'")
        check(f"states of {table}", {b for _, b in moves}, texts(text))
        check(f"states a {table} leaves", {a for a, _ in moves if a} - texts(text), set())


def check_mails(db, mails):
    """mail_template() of every kind and detail that either side names, and of some that none does."""
    body = db.one("SELECT pg_get_functiondef('mail_template'::regproc)")
    kinds = {kind for kind, _, _ in mails} | texts(body) | {"placed", "picked"}
    details = {detail for _, detail, _ in mails} | texts(body) | {"in_transit"}
    table = {(kind, detail): template for kind, detail, template in mails}
    for kind in sorted(kinds):
        for detail in sorted(details):
            ours = table.get((kind, detail), table.get((kind, "*")))
            theirs = db.query(f"SELECT mail_template('{kind}', '{detail}')")[0][0]
            assert ours == theirs, f"{kind} {detail}: C says {ours}, the database {theirs}"
        assert db.query(f"SELECT mail_template('{kind}', NULL)")[0][0] == table.get((kind, "*")), kind
    print("ok mails of", len(mails), "events", flush=True)


def check_child_ids(db):
    """UUIDv7 of this millisecond with the parent's shard, no two alike; for every shard."""
    for shard in range(64):
        parent = uuid.UUID(int=(7 << 76) | (shard << 70) | (2 << 62) | 0x1234)
        before = time.time_ns() // 1000000
        children = [uuid.UUID(row[0]) for row in db.query(f"SELECT child_id('{parent}') FROM generate_series(1, 20)")]
        after = time.time_ns() // 1000000
        assert len(set(children)) == 20, children
        for child in children:
            assert child.version == 7 and child.variant == uuid.RFC_4122, child
            assert before <= child.int >> 80 <= after, (before, child, after)
            assert (child.int >> 70) & 63 == shard, (shard, child)
    print("ok child ids of 64 shards", flush=True)


def compare_ssccs(db, ssccs):
    assert len(ssccs) > 200 and len({prefix for prefix, _, _ in ssccs}) == 5, ssccs
    asked = ", ".join(f"('{prefix}', {serial})" for prefix, serial, _ in ssccs)
    rows = db.query(f"SELECT prefix, serial, sscc18(prefix, serial) FROM (VALUES {asked}) v(prefix, serial)")
    check("parcels' numbers", ssccs, {tuple(r) for r in rows})


def main():
    states, edges, ssccs, mails = domain(sys.argv[1])
    with Server() as server:
        with server.session(server.database("edges")) as db:
            compare(db, states, edges)
            compare_machines(db)
            check_mails(db, mails)
            check_child_ids(db)
            compare_ssccs(db, ssccs)


main()
