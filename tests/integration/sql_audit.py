#!/usr/bin/python3
"""Every audit of db/audit is empty on books that are right and fires on its plant, as it stands in its file and as the
worker asks it; a plant says which other audits it fires, and fires no more.

usage: sql_audit.py SQLGEN
"""

import os
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import Server, Store, statements  # noqa: E402
from sqlworld import ROOT, Life, World, audit, audits, check_books  # noqa: E402


def place(world, shares):
    unit = world.order(1, shares)
    assert world.store.run([unit])[0][0]["outcome"] == "placed"
    return unit[1]["order_id"]


def good_books(world):
    """Orders at every stage of life, one and two groups, and stock that came, went and was corrected."""
    world.tenant(1, items=3, places=2)
    for at in (0, 1):
        world.receive(1, at, [(0, 50), (1, 50), (2, 50)])
    world.store.run([world.adjustment(1, 0, 0, -2), world.adjustment(1, 1, 0, 3), world.adjustment(1, 0, 1, 4, True)])
    for steps in range(6):  # pending, authorized, picked, packed, shipped, delivered
        life = Life(world, 1, place(world, [(1, 0, 0, 1), (2, 1, 0, 2)]))
        for step in (life.authorize, life.pick, life.pack, life.ship, life.deliver)[:steps]:
            step()
    short_books(world)
    cancelled, split = place(world, [(1, 0, 0, 1)]), place(world, [(1, 0, 0, 1), (1, 0, 1, 2)])
    world.store.run([world.cancel(1, cancelled)])
    lives = [Life(world, 1, split, group, 2) for group in (1, 2)]
    for life in lives:
        life.authorize()
    lives[0].pick()
    world.store.run([world.cancel(1, split, 2)])
    for life in lives:
        life.void()
    Life(world, 1, place(world, [(1, 2, 0, 1)])).decline()
    late = world.order(1, [(1, 2, 1, 1)], expires_s=-1)
    world.store.run([late, world.order(1, [(1, 2, 1, 10 ** 6)])])
    world.store.run([world.expire(1, late[1]["order_id"])])


def short_books(world):
    """Picks that were short: one sourced again and on its way, one that waits for stock, one of which nothing was there."""
    world.place(1, 2, "manual")
    world.receive(1, 2, [(0, 50)])
    for count, taken in ((1, 2), (2, 0), (0, 3)):
        order_id = place(world, [(1, 0, 2, 3)])
        life = Life(world, 1, order_id)
        life.authorize()
        life.confirm_pick(line1=count)
        life.search(3 - count, taken, 0)


def record(tenant, **more):
    return ("call_recorded", {"tenant": tenant, "call_id": str(uuid.uuid4()), "at": "2026-01-02 03:04:05.678901+00", "actor": "key:root",
                              "role": "ops_admin", "peer": "ipv4:127.0.0.1", "method": "/orderd.v1.OpsService/PauseQueue",
                              "request_key": "r1", "object": "payment", "status": 0, "reason": "OK", "calls": 1, "trace": "none",
                              **more}, [])


def calls_on_record(world):
    world.store.run([record(1), record(2, request_key=None), record(1, object="")])
    world.store.run([record(1), record(0, actor="", role="", calls=70, status=16, reason="forged")])


def gateway_is_read(db):
    """The gateway has a payment for every attempt it knows, and all of them were just read."""
    db.query("""
        INSERT INTO gateway_payment (id, attempt_id, amount_minor, held_minor, captured_minor, currency, status, created_at)
        SELECT a.gateway_id, a.id, a.amount_minor, CASE a.state WHEN 'authorized' THEN a.amount_minor ELSE 0 END,
               coalesce(c.amount_minor, 0), p.currency, a.state, a.created_at
          FROM payment_attempt a
          JOIN payment p USING (tenant, order_id, group_no)
          LEFT JOIN payment_transaction c ON (c.tenant, c.attempt_id, c.kind) = (a.tenant, a.id, 'capture')
         WHERE a.gateway_id IS NOT NULL;
        INSERT INTO gateway_walk (walked_since, walked_until) VALUES (now() - interval '1 day', now() + interval '1 hour')""")


def check_plant(db, plant):
    """It fires its own audit and those its first lines name behind `also:`, and no other."""
    name, text = audit_of(plant), (ROOT / "db/audit/plants" / (plant + ".sql")).read_text()
    also = {word for line in text.splitlines() if line.startswith("-- also: ") for word in line[9:].split(", ")}
    db.query("BEGIN; " + text)
    fired = {other: rows for other in audits() if (rows := audit(db, other))}
    as_asked = {other for other in audits() if asked(db, other)[0] > 0}
    counted = asked(db, name)
    db.query("ROLLBACK")
    assert name in fired, f"audit {name} is silent on {plant}"
    assert set(fired) == also | {name}, f"{plant} also fires {sorted(set(fired) - {name})}, it says {sorted(also)}"
    assert as_asked == set(fired), (plant, as_asked)
    assert counted[0] == len(fired[name]) and counted[1].startswith("{"), (plant, counted, fired[name])
    print("ok", plant, "fires:", fired[name][0], flush=True)


def asked(db, name):
    """As the worker does: (rows that break the rule, the first of them)."""
    found = db.query(f"EXECUTE audit_{name} (ARRAY[3])")
    return int(found[0][1]), found[0][2]


def prepare_all(db, sqlgen):
    text = subprocess.run([sqlgen, f"--queries={ROOT}/db/queries", f"--audits={ROOT}/db/audit", "--print"], check=True, text=True,
                          stdout=subprocess.PIPE, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0")).stdout
    rules = [block for block in text.split("-- unit ") if block.startswith("audit_")]
    assert len(rules) == len(audits())
    for rule in rules:
        db.query("-- " + rule)


def check_readme():
    """db/README.md lists every audit, once."""
    lines = (ROOT / "db/README.md").read_text().splitlines()
    listed = sorted(line.split("`")[1] for line in lines if line.startswith("| `"))
    assert listed == audits(), set(listed) ^ set(audits())


def audit_of(plant):
    """An audit that looks for several wrongs has a plant for each: audit.sql, audit-another.sql."""
    return plant.split("-")[0]


def main():
    check_readme()
    sql = statements(sys.argv[1])
    planted = {p.stem for p in (ROOT / "db/audit/plants").glob("*.sql")}
    assert set(map(audit_of, planted)) == set(audits()), set(map(audit_of, planted)) ^ set(audits())
    with Server() as server:
        db = server.session(server.database("audit"))
        world = World(Store(db, sql))
        good_books(world)
        gateway_is_read(db)
        calls_on_record(world)
        prepare_all(db, sys.argv[1])
        check_books(db)
        for plant in sorted(planted):
            check_plant(db, plant)
            check_books(db)
        db.close()


main()
