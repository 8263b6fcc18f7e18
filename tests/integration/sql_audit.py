#!/usr/bin/python3
"""Every audit of db/audit is empty on books that are right and fires on its plant.

usage: sql_audit.py SQLGEN
"""

import os
import sys

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


def check_plant(db, plant):
    name = audit_of(plant)
    db.query("BEGIN; " + (ROOT / "db/audit/plants" / (plant + ".sql")).read_text())
    rows = audit(db, name)
    db.query("ROLLBACK")
    assert rows, f"audit {name} is silent on {plant}"
    print("ok", plant, "fires:", rows[0], flush=True)


def audit_of(plant):
    """An audit that looks for several wrongs has a plant for each: audit.sql, audit-another.sql."""
    return plant.split("-")[0]


def main():
    sql = statements(sys.argv[1])
    planted = {p.stem for p in (ROOT / "db/audit/plants").glob("*.sql")}
    assert set(map(audit_of, planted)) == set(audits()), set(map(audit_of, planted)) ^ set(audits())
    with Server() as server:
        db = server.session(server.database("audit"))
        good_books(World(Store(db, sql)))
        check_books(db)
        for plant in sorted(planted):
            check_plant(db, plant)
            check_books(db)
        db.close()


main()
