#!/usr/bin/python3
"""order_place decides as if orders came one by one, whatever the batch, the rival or the lost COMMIT.

usage: sql_place.py SQLGEN
"""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import Server, Store, statements  # noqa: E402
from sqlworld import World, check_books, dump  # noqa: E402

RESERVED = "SELECT sum(reserved) FROM stock WHERE tenant = 1 AND item IN (%d, %d)"
ROUNDS = 120  # random batches compared with their one-by-one twin


def outcomes(answers):
    assert all(len(a) == 1 for a in answers), answers
    return [a[0]["outcome"] for a in answers]


def test_place_two_groups_stores_all_of_it(world, db):
    unit = world.order(1, [(1, 0, 0, 3), (1, 0, 1, 2), (2, 1, 1, 4)])
    order = unit[1]["order_id"]
    row = world.store.run([unit])[0][0]
    assert row["outcome"] == "placed" and int(row["number"]) > 100000, row
    count = {t: db.one(f"SELECT count(*) FROM {t} WHERE order_id = '{order}'")
             for t in ("order_line", "reservation", "stock_movement", "payment", "order_event", "job")}
    assert count == dict(order_line="2", reservation="3", stock_movement="3", payment="2", order_event="1", job="2"), count
    assert db.query(f"SELECT state, version, groups, total_minor, number::text FROM orders WHERE id = '{order}'") == [
        ["pending", "1", "2", "900", row["number"]]]
    assert db.query(f"SELECT ordered, reserved FROM order_line WHERE order_id = '{order}' ORDER BY line") == [
        ["5", "5"], ["4", "4"]]
    assert db.query(f"SELECT amount_minor FROM payment WHERE order_id = '{order}' ORDER BY group_no") == [["300"], ["600"]]


def test_place_asked_twice_changes_nothing(world, db):
    unit = world.order(1, [(1, 0, 0, 1)])
    world.store.run([unit])
    before = dump(db)
    assert outcomes(world.store.run([unit])) == ["seen"]
    other = world.order(1, [(1, 1, 0, 1)])
    other[1]["request_key"] = unit[1]["request_key"]
    assert outcomes(world.store.run([other])) == ["seen"]
    assert dump(db) == before


def test_place_seen_takes_nothing_from_the_next(world, _):
    """One unit is left; the order that has been placed already must not stand before the one that wants it."""
    world.receive(1, 0, [(11, 2)])
    first, last = world.order(1, [(1, 11, 0, 1)]), world.order(1, [(1, 11, 0, 1)])
    assert outcomes(world.store.run([first])) == ["placed"]
    assert outcomes(world.store.batch([first, last])) == ["seen", "placed"]


def test_place_after_unknown_commit_reserves_once(world, db):
    """The store asks again after a lost connection; the movements of the first time must not count again."""
    units = [world.order(1, [(1, 2, 0, 5)]), world.order(1, [(1, 2, 0, 2)])]
    before = int(db.one("SELECT sum(reserved) FROM stock"))
    world.store.begin(units)
    world.store.session.query("COMMIT")
    assert outcomes(world.store.run(units)) == ["seen", "seen"]
    assert int(db.one("SELECT sum(reserved) FROM stock")) == before + 7


def test_place_short_names_item_and_keeps_request_id(world, db):
    unit = world.order(1, [(1, 0, 0, 1), (2, 3, 0, 10 ** 9)])
    before = dump(db)
    row = world.store.run([unit])[0][0]
    left = db.one(f"SELECT on_hand - reserved - allocated - unavailable FROM stock WHERE item = {world.items[1][3]} "
                  f"AND location = {world.places[1][0]}")
    assert (row["outcome"], row["item"], row["left_qty"]) == ("short", str(world.items[1][3]), left), row
    assert dump(db) == before
    unit[2][1].update(qty=1, ordered=1)
    unit[2][0]["group_minor"] = unit[1]["total_minor"] = 200
    assert outcomes(world.store.run([unit])) == ["placed"]


def test_place_same_item_on_two_lines_counts_both(world, _):
    left = int(world.store.read("availability", dict(tenant=1), [dict(line=1, sku="sku-4")])[0]["on_hand"])
    shares = [(1, 4, 0, left // 2 + 1), (2, 4, 0, left - left // 2)]
    assert outcomes(world.store.run([world.order(1, shares)])) == ["short"]


def test_place_mixed_batch_with_foreign_item_refuses_it_alone(world, db):
    """Tenant 2 names items and places of tenant 1: for it they do not exist."""
    units = [world.order(1, [(1, 0, 0, 1)]), world.order(2, [(1, 0, 0, 1)], foreign=1), world.order(2, [(1, 0, 0, 1)])]
    before = db.one("SELECT reserved FROM stock WHERE tenant = 1 AND item = %d AND location = %d"
                    % (world.items[1][0], world.places[1][0]))
    assert outcomes(world.store.run(units)) == ["placed", "short", "placed"]
    assert db.one("SELECT reserved FROM stock WHERE tenant = 1 AND item = %d AND location = %d"
                  % (world.items[1][0], world.places[1][0])) == str(int(before) + 1)


def random_shares(world):
    """1-4 lines over 5 scarce items: splits, and the same item twice."""
    shares, r = [], world.random
    for line in range(1, r.randint(1, 4) + 1):
        item = r.randrange(5, 10)
        for place in r.sample([0, 1], r.choice([1, 1, 1, 2])):
            shares.append((line, item, place, r.randint(1, 4)))
    return shares


def test_place_random_batches_win_as_one_by_one(world, _):
    """Tenant 1 gets each batch whole, tenant 2 the same orders one at a time; both began with the same stock."""
    again = 0
    for _ in range(ROUNDS):
        goods = [(item, world.random.randint(0, 6)) for item in range(5, 10)]
        goods = [g for g in goods if g[1] > 0]
        if goods:
            place = world.random.randrange(2)
            world.receive(1, place, goods)
            world.receive(2, place, goods)
        wanted = [random_shares(world) for _ in range(world.random.randint(4, 13))]
        batch = [world.order(1, shares) for shares in wanted]
        single = [world.store.run([world.order(2, shares)])[0][0]["outcome"] for shares in wanted]
        first = outcomes(world.store.batch(batch))
        again += first.count("again")
        waiting = [i for i, o in enumerate(first) if o == "again"]
        for i, answer in zip(waiting, world.store.run([batch[i] for i in waiting])):
            first[i] = answer[0]["outcome"]
        assert first == single, (first, single)
    assert again > 0, "no batch was ever undecided: the test tests nothing"


def test_place_two_sessions_racing_never_oversell(world, db, stores):
    world.receive(1, 0, [(10, 150), (11, 150)])
    reserved = int(db.one(RESERVED % (world.items[1][10], world.items[1][11])))
    orders = [world.order(1, [(1, 10 + n % 2, 0, 1), (2, 11 - n % 2, 0, 1)]) for n in range(400)]
    errors = []

    def seller(store, mine):
        for at in range(0, len(mine), 8):
            batch, asked = mine[at:at + 8], True
            while asked:  # a batch that lost every race is asked again, as the store does
                try:
                    store.run(batch)
                    asked = False
                except Exception as e:  # noqa: BLE001
                    asked = (getattr(e, "constraint", "") or "").startswith("stock_")
                    if not asked:
                        errors.append(e)

    threads = [threading.Thread(target=seller, args=(s, orders[i::2])) for i, s in enumerate(stores)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors
    assert int(db.one(RESERVED % (world.items[1][10], world.items[1][11]))) == reserved + 300


def main():
    sql = statements(sys.argv[1])
    with Server() as server:
        name = server.database("place")
        sessions = [server.session(name) for _ in range(3)]
        stores = [Store(s, sql) for s in sessions[:2]]
        world, db = World(stores[0]), sessions[2]
        for tenant in (1, 2):
            world.tenant(tenant, items=12, places=2)
            for place in (0, 1):
                world.receive(tenant, place, [(item, 20) for item in range(5)])
        for test, f in list(globals().items()):
            if test.startswith("test_"):
                f(world, db, stores) if "racing" in test else f(world, db)
                check_books(db)
                print("ok", test, flush=True)
        for s in sessions:
            s.close()


main()
