#!/usr/bin/python3
"""Cancelling, expiring, stock, catalogue and the reads: each kind's happy way, its refusals, and being asked twice.

usage: sql_request.py SQLGEN
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import Server, Store, statements  # noqa: E402
from sqlworld import CONFIRM_PACK, CONFIRM_PICK, HANDOVER, SSCC_PREFIX, Life, World, check_books, dump  # noqa: E402


class Case:
    def __init__(self, world, db):
        self.world, self.db, self.store = world, db, world.store

    def place(self, shares, tenant=1, **more):
        unit = self.world.order(tenant, shares, **more)
        assert self.store.run([unit])[0][0]["outcome"] == "placed"
        return unit[1]["order_id"]

    def run(self, unit):
        return self.store.run([unit])[0]

    def outcome(self, unit):
        return self.run(unit)[0]["outcome"]

    def twice(self, unit, second):
        """The second asking changes nothing and answers `second`."""
        first, before = self.run(unit), dump(self.db)
        assert self.outcome(unit) == second
        assert dump(self.db) == before
        return first

    def refused(self, unit, outcome):
        before = dump(self.db)
        answer = self.run(unit)
        assert answer[0]["outcome"] == outcome, answer
        assert dump(self.db) == before
        return answer

    def states(self, order):
        return self.db.query(f"SELECT state, payment_state, fulfillment_state, version FROM orders WHERE id = '{order}'")[0]

    def events(self, order):
        rows = self.store.read("order_events", dict(tenant=1, order_id=order, after=0, most=100))
        return [(r["kind"], r["to_state"]) for r in rows]

    def stock(self, item, place, tenant=1):
        return [int(n) for n in self.db.query(
            f"SELECT on_hand, reserved, allocated, unavailable FROM stock WHERE tenant = {tenant} "
            f"AND item = {self.world.items[tenant][item]} AND location = {self.world.places[tenant][place]}")[0]]


# ---------------------------------------------------------------- order_cancel

def test_cancel_unpaid_order_is_final_and_frees_stock(c):
    free = c.stock(0, 0)
    order = c.place([(1, 0, 0, 2), (1, 0, 1, 1)])
    row, = c.twice(c.world.cancel(1, order, 2), "seen")
    assert (row["outcome"], row["version"], row["job_id"]) == ("cancelled", "3", None), row
    assert c.states(order) == ["cancelled", "voided", "cancelled", "3"]
    assert c.stock(0, 0) == free
    assert c.events(order) == [("placed", "pending"), ("cancel_requested", "cancelling"), ("cancelled", "cancelled")]


def test_cancel_paid_order_waits_for_its_voids(c):
    order = c.place([(1, 0, 0, 2), (1, 0, 1, 1)])
    for group in (1, 2):
        Life(c.world, 1, order, group, 2).authorize()
    rows = c.twice(c.world.cancel(1, order, 2), "seen")
    assert len(rows) == 2 and all(r["job_id"] and r["outcome"] == "cancelled" for r in rows), rows
    assert c.states(order)[:3] == ["cancelling", "authorized", "cancelled"]
    assert c.db.query(f"SELECT kind, priority FROM job WHERE order_id = '{order}' AND state = 'ready' AND priority = 0") == [
        ["payment.void", "0"]] * 2


def test_cancel_with_one_group_picked_cancels_every_bucket(c):
    order = c.place([(1, 0, 0, 2), (1, 0, 1, 1)])
    lives = [Life(c.world, 1, order, group, 2) for group in (1, 2)]
    for life in lives:
        life.authorize()
    lives[1].pick()
    c.run(c.world.cancel(1, order, 2))
    assert c.db.query(f"SELECT from_bucket, qty FROM stock_movement WHERE order_id = '{order}' AND to_bucket = 'cancelled' "
                      "ORDER BY from_bucket") == [["allocated", "2"], ["picked", "1"]]
    assert c.db.one(f"SELECT cancelled FROM order_line WHERE order_id = '{order}'") == "3"


def test_cancel_while_payment_is_in_flight_leaves_it_to_be_found(c):
    order = c.place([(1, 0, 0, 1)])
    life = Life(c.world, 1, order)
    life.begin()
    row, = c.run(c.world.cancel(1, order))
    assert row["job_id"] is None and c.states(order)[:2] == ["cancelling", "pending"]
    assert life.authorize()[0]["outcome"] == "void"
    life.void()
    assert c.states(order)[:2] == ["cancelled", "voided"]


def test_cancel_packed_order_is_refused(c):
    order = c.place([(1, 0, 0, 1)])
    life = Life(c.world, 1, order)
    for step in (life.authorize, life.pick, life.pack):
        step()
    c.refused(c.world.cancel(1, order), "not_cancellable")


def test_cancel_refusals_change_nothing(c):
    order = c.place([(1, 0, 0, 1)])
    c.refused(c.world.cancel(1, order, version=7), "stale")
    c.refused(c.world.cancel(1, c.world.id()), "not_found")
    c.refused(c.world.cancel(2, order), "not_found")
    assert c.outcome(c.world.cancel(1, order, version=1)) == "cancelled"
    c.refused(c.world.cancel(1, order), "not_cancellable")


def test_cancel_mixed_batch_keeps_tenants_apart(c):
    mine, theirs = c.place([(1, 0, 0, 1)]), c.place([(1, 0, 0, 1)], tenant=2)
    units = [c.world.cancel(2, mine), c.world.cancel(2, theirs), c.world.cancel(1, c.world.id())]
    assert [a[0]["outcome"] for a in c.store.run(units)] == ["not_found", "cancelled", "not_found"]
    assert c.states(mine)[0] == "pending"


# ---------------------------------------------------------------- order_expire

def test_expire_late_order_frees_stock(c):
    free = c.stock(1, 0)
    order = c.place([(1, 1, 0, 3)], expires_s=-1)
    due = c.store.read("orders_expired", dict(most=10))
    assert [r["order_id"] for r in due] == [order]
    c.twice(c.world.expire(1, order), "not_due")
    assert c.states(order) == ["expired", "voided", "cancelled", "2"] and c.stock(1, 0) == free
    assert c.store.read("orders_expired", dict(most=10)) == []


def test_expire_half_paid_order_voids_the_paid_half(c):
    order = c.place([(1, 1, 0, 1), (2, 1, 1, 1)], expires_s=-1)
    life = Life(c.world, 1, order, 1, 2)
    life.authorize()
    rows = c.run(c.world.expire(1, order, 2))
    assert len(rows) == 1 and rows[0]["job_id"], rows
    life.void()
    assert c.states(order)[:2] == ["expired", "voided"], c.states(order)


def test_expire_refusals_change_nothing(c):
    busy, young = c.place([(1, 1, 0, 1)], expires_s=-1), c.place([(1, 1, 0, 1)])
    Life(c.world, 1, busy).begin()
    assert c.store.read("orders_expired", dict(most=10)) == []
    c.refused(c.world.expire(1, busy), "not_due")
    c.refused(c.world.expire(1, young), "not_due")
    c.refused(c.world.expire(2, busy), "not_due")
    c.db.query(f"UPDATE orders SET expires_at = now() + interval '1 hour' WHERE id = '{busy}'")


# ---------------------------------------------------------------- stock

def test_receive_new_place_makes_its_stock(c):
    unit = c.world.receipt(1, 2, [(0, 5), (1, 7), (0, 1)])
    assert c.twice(unit, "seen")[0]["outcome"] == "received"
    assert c.stock(0, 2) == [6, 0, 0, 0] and c.stock(1, 2) == [7, 0, 0, 0]
    assert c.db.one(f"SELECT reference FROM stock_document WHERE id = '{unit[1]['receipt_id']}'") == "truck"


def test_receive_refusals_change_nothing(c):
    assert c.refused(c.world.receipt(1, 2, [(0, 5), (99, 1)]), "unknown_item")[0]["line"] == "1"
    c.refused(c.world.receipt(1, 9, [(0, 5)]), "unknown_location")
    c.refused(c.world.receipt(2, 2, [(0, 5)]), "unknown_location")  # tenant 2 has no third place


def test_receive_in_one_batch_for_two_tenants(c):
    before = c.stock(0, 0), c.stock(0, 0, 2)
    units = [c.world.receipt(2, 0, [(0, 1)]), c.world.receipt(1, 9, [(0, 50)]), c.world.receipt(1, 0, [(0, 2), (1, 1)])]
    assert [a[0]["outcome"] for a in c.store.run(units)] == ["received", "unknown_location", "received"]
    assert c.stock(0, 0, 2)[0] == before[1][0] + 1 and c.stock(0, 0)[0] == before[0][0] + 2


def test_adjust_moves_what_it_says(c):
    start = c.stock(2, 0)
    for delta, unavailable, then in ((3, False, [3, 0]), (-1, False, [2, 0]), (4, True, [2, 4]), (-3, True, [2, 1])):
        answer = c.twice(c.world.adjustment(1, 0, 2, delta, unavailable), "seen")[0]
        now = c.stock(2, 0)
        left = now[3] if unavailable and delta < 0 else now[0] - now[1] - now[2] - now[3]
        assert (answer["outcome"], int(answer["left_qty"])) == ("adjusted", left), (answer, left)
        assert [now[0] - start[0], now[3] - start[3]] == then, (now, start)


def test_adjust_refusals_change_nothing(c):
    on_hand, reserved, allocated, unavailable = c.stock(2, 0)
    free = on_hand - reserved - allocated - unavailable
    assert c.refused(c.world.adjustment(1, 0, 2, -free - 1), "short")[0]["left_qty"] == str(free)
    c.refused(c.world.adjustment(1, 0, 2, free + 1, True), "short")
    c.refused(c.world.adjustment(1, 0, 2, -unavailable - 1, True), "short")
    c.refused(c.world.adjustment(1, 9, 2, 1), "unknown_location")
    c.refused(c.world.adjustment(1, 0, 99, 1), "unknown_item")
    c.refused(c.world.adjustment(2, 0, 99, 1), "unknown_item")


def test_adjust_takers_of_one_stock_are_decided_in_turn(c):
    on_hand, reserved, allocated, unavailable = c.stock(1, 1)
    free = on_hand - reserved - allocated - unavailable
    units = [c.world.adjustment(1, 1, 1, -free + 1), c.world.adjustment(1, 1, 1, -2), c.world.adjustment(1, 1, 1, -1)]
    assert [a[0]["outcome"] for a in c.store.run(units)] == ["adjusted", "short", "adjusted"]
    assert c.store.races == 0
    c.run(c.world.receipt(1, 1, [(1, 50)]))


# ---------------------------------------------------------------- catalogue

def item(line, sku, title="t", price=5):
    return dict(line=line, sku=sku, title=title, unit_minor=price, currency="EUR", weight_g=1)


def test_upsert_names_items_once_and_the_last_word_wins(c):
    units = [("item_upsert", dict(tenant=1), [item(1, "b", "old"), item(2, "a")]),
             ("item_upsert", dict(tenant=2), [item(1, "b", "theirs")]),
             ("item_upsert", dict(tenant=1), [item(1, "b", "mid"), item(2, "b", "new")])]
    answers = c.store.run(units)
    assert [len(a) for a in answers] == [2, 1, 2]
    assert answers[0][0]["item"] == answers[2][0]["item"] == answers[2][1]["item"] != answers[1][0]["item"]
    assert c.db.query("SELECT tenant, title FROM item WHERE sku = 'b' ORDER BY 1") == [["1", "new"], ["2", "theirs"]]
    before = dump(c.db)
    assert [r["item"] for r in c.store.run(units[2:])[0]] == [r["item"] for r in answers[2]]
    assert dump(c.db) == before


def test_create_location_again_answers_it_and_another_with_its_code_is_refused(c):
    def unit(code, tenant=1, street="s", fulfillment="automatic"):
        return ("location_create", dict(tenant=tenant, code=code, name="n", priority=1, latitude_e6=1, longitude_e6=1,
                                        street=street, city="c", region="r", postal_code="p", country="DE",
                                        fulfillment=fulfillment), [])
    answers = c.store.run([unit("new"), unit("new"), unit("new", street="other"), unit("new", 2)])
    assert [a[0]["outcome"] for a in answers] == ["created", "created", "exists", "created"]
    assert answers[0][0]["location"] == answers[1][0]["location"] == answers[2][0]["location"] != answers[3][0]["location"]
    before = dump(c.db)
    for again, outcome in ((unit("new"), "created"), (unit("new", street="other"), "exists"),
                           (unit("new", fulfillment="manual"), "exists")):
        row = c.run(again)[0]
        assert (row["outcome"], row["location"]) == (outcome, answers[0][0]["location"])
    assert dump(c.db) == before


# ---------------------------------------------------------------- reads

def test_quote_tells_where_how_much_is_free(c):
    c.store.ask("item_upsert", dict(tenant=1), [item(1, "nowhere", price=7)])
    rows = c.store.read("catalog_quote", dict(tenant=1), [dict(line=n, sku=s) for n, s in
                                                          enumerate(["sku-2", "no such", "nowhere"])])
    where = [(r["line"], r["location_code"], r["location"] != "0", r["item"] != "0") for r in rows]
    assert where == [("0", "place-0", True, True), ("0", "place-1", True, True), ("1", "", False, False),
                     ("2", "", False, True)], where
    on_hand, reserved, allocated, unavailable = c.stock(2, 0)
    assert int(rows[0]["available"]) == on_hand - reserved - allocated - unavailable
    assert rows[3]["unit_minor"] == "7"


def test_availability_shows_the_counters(c):
    rows = c.store.read("availability", dict(tenant=1), [dict(line=0, sku="sku-2"), dict(line=1, sku="no such"),
                                                         dict(line=2, sku="nowhere")])
    assert [(r["line"], r["location_code"], r["item"] == "0") for r in rows] == [
        ("0", "place-0", False), ("0", "place-1", False), ("1", "", True), ("2", "", False)]
    assert [int(rows[0][k]) for k in ("on_hand", "reserved", "allocated", "unavailable")] == c.stock(2, 0)


def test_reads_of_another_tenant_see_nothing(c):
    order = c.place([(1, 0, 0, 1)])
    for name, more in (("order_view", {}), ("order_status", {}), ("order_groups", {}), ("order_events", dict(after=0, most=9))):
        both = [(dict(tenant=t, order_id=order, **more), []) for t in (2, 1)]
        theirs, mine = c.store.execute(c.store.kinds[name], both)
        assert theirs == [] and len(mine) == 1, name


def test_order_of_another_customer_is_not_found(c):
    order = c.place([(1, 0, 0, 1)], customer="ada")
    life = Life(c.world, 1, order)
    for step in (life.authorize, life.pick, life.pack):
        step()
    shipment = c.db.one(f"SELECT id FROM shipment WHERE order_id = '{order}'")
    reads = {
        "order_view": (dict(order_id=order), []), "order_status": (dict(order_id=order), []), "order_groups": (dict(order_id=order), []),
        "payment_view": (dict(order_id=order, after_group=0, most=9), []), "shipment_view": (dict(shipment_id=shipment), []),
        "orders_view": (dict(most=9), [dict(place=0, order_id=order)]),
        "watch_events": (dict(most=9), [dict(watch=0, order_id=order, after=0, fresh="t")])}
    narrowed = {name for name, kind in c.store.kinds.items() if "owner" in dict(kind.head) or "owner" in dict(kind.line or [])}
    assert narrowed == {*reads, "order_cancel"}, narrowed

    def found(name, **who):
        head, lines = reads[name]
        return len(c.store.read(name, dict(who, **head), [dict(line, **who) for line in lines]))

    for name in reads:
        assert found(name, tenant=1) == found(name, tenant=1, owner="ada") > 0, name
        for nobody in (dict(tenant=1, owner="bob"), dict(tenant=1, owner=""), dict(tenant=2), dict(tenant=2, owner="ada")):
            assert found(name, **nobody) == 0, (name, nobody)
    work = dict(fulfillment_id=c.db.one(f"SELECT id FROM fulfillment_order WHERE order_id = '{order}'"), most=9, most_lines=9)
    assert [len(c.store.read("fulfillment_list", dict(work, tenant=tenant))) for tenant in (1, 2)] == [1, 0]
    other = c.place([(1, 0, 0, 1)], customer="ada")
    for tenant, owner in ((1, "bob"), (2, None), (2, "ada")):
        kind, head, lines = c.world.cancel(tenant, other)
        c.refused((kind, dict(head, owner=owner), lines), "not_found")
    kind, head, lines = c.world.cancel(1, other)
    assert c.outcome((kind, dict(head, owner="ada"), lines)) == "cancelled"


def places_of(rows):
    return {r.get("location_code") or r.get("from_name", "").replace(" ", "-") for r in rows} - {""}


def test_what_lies_at_another_location_is_not_found(c):
    order = c.place([(1, 0, 0, 1), (2, 1, 1, 1)])
    lives = [Life(c.world, 1, order, group, 2) for group in (1, 2)]
    for life in lives:
        life.authorize()
    for life in lives:
        life.pick()
        life.pack()
    there = dict(c.db.query(f"SELECT 'shipment', id FROM shipment WHERE order_id = '{order}' AND group_no = 2 UNION ALL "
                            f"SELECT 'fulfillment', id FROM fulfillment_order WHERE order_id = '{order}' AND group_no = 2"))
    work, at_1, both = dict(most=9999, most_lines=99999), {"place-1"}, {"place-0", "place-1"}
    reads = [("fulfillment_list", dict(work, fulfillment_id=there["fulfillment"]), [], at_1),
             ("fulfillment_list", dict(work, order_id=order), [], both), ("fulfillment_list", dict(work, state="packed"), [], both),
             ("fulfillment_list", dict(work, location_code="place-1", state="packed"), [], at_1),
             ("fulfillment_list", dict(work, location_code="place-1"), [], at_1), ("fulfillment_list", work, [], both),
             ("movement_list", dict(order_id=order, most=99), [], both), ("movement_list", dict(sku="sku-0", most=9999), [], both),
             ("movement_list", dict(location_code="place-1", most=99), [], at_1),
             ("availability", {}, [dict(line=0, sku="sku-0")], both),
             ("shipment_view", dict(shipment_id=there["shipment"]), [], at_1),
             ("label_view", dict(shipment_id=there["shipment"]), [], at_1)]
    for name, head, lines, full in reads:
        def found(tenant=1, locations=None):
            return places_of(c.store.read(name, dict(head, tenant=tenant, locations=locations), lines))

        assert found() & both == full, (name, head, found())
        for named in ({"place-1"}, {"place-0"}, {"place-1", "place-0"}, {"no such", "place-1"}):
            assert found(locations="\n".join(sorted(named))) == full & named, (name, head, named)
        for nowhere in ("", "place", "place-1 ", "PLACE-1", "place-0,place-1", "\nplace-11"):
            assert found(locations=nowhere) == set(), (name, head, nowhere)
        if name != "availability":  # the same sku lies at places of the same codes there
            assert not {there["fulfillment"], there["shipment"]} & {
                str(v) for r in c.store.read(name, dict(head, tenant=2, locations="place-1"), lines) for v in r.values()}, name
    # Page by page, as it is for those who reach all of them.
    ids = [r["fulfillment_id"] for r in c.store.read("fulfillment_list", dict(work, tenant=1)) if r["location_code"] == "place-1"]
    after, got = None, []
    while len(got) <= len(ids):
        page = c.store.read("fulfillment_list", dict(work, tenant=1, most=2, after=after, locations="place-2\nplace-1"))
        if not page:
            break
        got, after = got + [r["fulfillment_id"] for r in page], page[-1]["fulfillment_id"]
    assert got == ids and len(set(ids)) > 2, (got, ids)


def test_nothing_is_done_at_another_location(c):
    order = c.place([(1, 0, 1, 1)])
    life = Life(c.world, 1, order)
    life.authorize()

    def report(kind, step, method, **more):
        work = c.db.one(f"SELECT id FROM fulfillment_order WHERE order_id = '{order}'")
        job = c.db.one(f"SELECT id FROM job WHERE order_id = '{order}' AND kind = '{step}'")
        return kind, dict(c.world.confirmation(1, order, 1, work, job, method), **more), []

    def own_alone(unit, done, otherwise="not_found"):
        kind, head, lines = unit
        for locations in ("place-0", "", "place-0\nplace-2"):
            c.refused((kind, dict(head, locations=locations), lines), otherwise)
        assert c.outcome((kind, dict(head, locations="place-0\nplace-1"), lines)) == done
        assert c.outcome((kind, dict(head, locations="place-1"), lines)) == "seen"
        c.refused((kind, dict(head, locations="place-0"), lines), otherwise)  # though it was told already

    own_alone(report("pick_confirmed", "fulfillment.pick", CONFIRM_PICK, pack_job=c.world.id(), void_job=c.world.id(),
                     resource_job=c.world.id()), "picked")
    own_alone(report("pack_confirmed", "fulfillment.pack", CONFIRM_PACK, weight_g=0, shipment_id=c.world.id(), next_job=c.world.id(),
                     sscc_prefix=SSCC_PREFIX), "packed")
    life.shipment = c.db.one(f"SELECT id FROM shipment WHERE order_id = '{order}'")
    life.ship()

    def handover(*shipments):
        return ("handover_confirm", dict(tenant=1, request_method=HANDOVER, request_key=c.world.key(), fingerprint=b"h" * 32,
                                         resource=shipments[0]), [dict(line=n, shipment_id=s) for n, s in enumerate(shipments)])

    own_alone(handover(life.shipment), "confirmed")
    near = c.place([(1, 0, 0, 1)])
    other = Life(c.world, 1, near)
    for step in (other.authorize, other.pick, other.pack, other.ship):
        step()
    kind, head, lines = handover(other.shipment, life.shipment)
    assert c.refused((kind, dict(head, locations="place-0"), lines), "not_found")[0]["line"] == "1"
    assert c.outcome((kind, head, lines)) == "confirmed"
    own_alone(c.world.receipt(1, 1, [(0, 3)]), "received", "unknown_location")
    narrowed = {name for name, kind in c.store.kinds.items() if "locations" in dict(kind.head)}
    assert narrowed == {"fulfillment_list", "movement_list", "availability", "shipment_view", "label_view", "pick_confirmed",
                        "pack_confirmed", "handover_confirm", "stock_receive", "api_key_create"}, narrowed


def test_view_has_lines_groups_and_parcel(c):
    order = c.place([(1, 0, 0, 2), (2, 1, 1, 3)])
    lives = [Life(c.world, 1, order, group, 2) for group in (1, 2)]
    for life in lives:
        life.authorize()
    for step in (lives[0].pick, lives[0].pack, lives[0].ship):
        step()
    view = c.store.read("order_view", dict(tenant=1, order_id=order))
    assert [(r["line"], r["sku"], r["ordered"], r["shipped"], r["allocated"]) for r in view] == [
        ("1", "sku-0", "2", "2", "0"), ("2", "sku-1", "3", "0", "3")]
    groups = c.store.read("order_groups", dict(tenant=1, order_id=order))
    assert [(g["group_no"], g["location_code"], g["payment_state"], g["tracking_code"]) for g in groups] == [
        ("1", "place-0", "captured", "TRACK"), ("2", "place-1", "authorized", None)]
    status = c.store.read("order_status", dict(tenant=1, order_id=order))[0]
    assert (status["fulfillment_state"], status["version"]) == ("partially_shipped", view[0]["version"])


def test_label_has_what_is_printed_on_it(c):
    order = c.place([(1, 0, 0, 2), (2, 1, 1, 3)])
    lives = [Life(c.world, 1, order, group, 2) for group in (1, 2)]
    for step in (lives[0].authorize, lives[1].authorize, lives[1].pick, lives[1].pack):
        step()
    db, where = c.store.session, f"WHERE order_id = '{order}'"
    shipment = db.one(f"SELECT id FROM shipment {where}")
    both = [(dict(tenant=t, shipment_id=shipment), []) for t in (2, 1)]
    theirs, (mine,) = c.store.execute(c.store.kinds["label_view"], both)
    assert theirs == [], theirs
    weight = db.one("SELECT sum(r.qty * i.weight_g) FROM reservation r JOIN item i USING (tenant, item)"
                    f" {where} AND r.group_no = 2")
    assert (mine["order_id"], mine["group_no"], mine["groups"], mine["weight_g"]) == (str(order), "2", "2", weight), mine
    assert mine["sealed"] is not None and mine["from_name"] == db.one("SELECT name FROM location WHERE code = 'place-1'")
    db.query("UPDATE shipment SET weight_g = 77, tracking_code = 'T', carrier = 'C', service = 'S', sscc = '034567890000000019'"
             f" {where}")
    db.query("BEGIN")  # the audits do not like an order without its contact
    db.query(f"DELETE FROM contact WHERE id = (SELECT contact_id FROM orders WHERE id = '{order}')")
    row, = c.store.read("label_view", dict(tenant=1, shipment_id=shipment))
    db.query("ROLLBACK")
    assert [row[k] for k in ("weight_g", "tracking_code", "carrier", "service", "sscc", "sealed")] == [
        "77", "T", "C", "S", "034567890000000019", None], row
    assert c.store.read("label_view", dict(tenant=1, shipment_id=order)) == []
def test_many_orders_are_read_as_each_alone(c):
    orders = [c.place([(1, 0, 0, 2), (2, 1, 1, 3)]), c.place([(1, 2, 0, 1)])]
    nobody = "01890000-0000-7000-8000-000000000000"
    asked = [dict(place=n, order_id=order) for n, order in enumerate([orders[1], nobody, orders[0], orders[1]])]
    for many, one in (("orders_view", "order_view"), ("orders_groups", "order_groups")):
        most = dict(most=6) if many == "orders_view" else {}
        cut = dict(cut="f") if most else {}
        rows = c.store.read(many, dict(tenant=1, **most), asked)
        alone = [{**row, "place": str(line["place"]), **cut} for line in asked
                 for row in c.store.read(one, dict(tenant=1, order_id=line["order_id"]))]
        assert rows == alone and len(rows) > 3, (many, rows, alone)
        theirs, mine = c.store.execute(c.store.kinds[many], [(dict(tenant=2, **most), asked), (dict(tenant=1, **most), asked)])
        assert theirs == [] and [{**row, "ordinal": "1"} for row in mine] == rows, many
    # Four lines in all, three allowed: one of each order.  The other question of the batch is not cut.
    questions = [(dict(tenant=1, most=3), asked), (dict(tenant=1, most=4), asked)]
    few, all_of_them = c.store.execute(c.store.kinds["orders_view"], questions)
    assert [(r["place"], r["line"], r["cut"]) for r in few] == [("0", "1", "t"), ("2", "1", "t"), ("3", "1", "t")], few
    assert len(all_of_them) == 4 and {r["cut"] for r in all_of_them} == {"f"}, all_of_them


def watch(c, *lines, most=9):
    """[(watch, version, state, settled, sequence)]"""
    rows = c.store.read("watch_events", dict(most=most), [
        dict(watch=n, tenant=t, order_id=order, after=after, fresh="t" if fresh else "f")
        for n, (t, order, after, fresh) in enumerate(lines)])
    return [(int(r["watch"]), int(r["version"]), r["state"], r["settled"] == "t", int(r["seq"])) for r in rows]


def test_watched_orders_that_moved_answer_what_happened(c):
    a, b = c.place([(1, 0, 0, 1)]), c.place([(1, 0, 0, 1)])
    assert watch(c, (1, a, 0, False), (1, b, 0, False)) == [(0, 1, "pending", False, 1), (1, 1, "pending", False, 1)]
    c.run(c.world.cancel(1, a))
    assert watch(c, (1, a, 1, False), (1, b, 1, False)) == [(0, 3, "cancelled", True, 2), (0, 3, "cancelled", True, 3)]
    assert watch(c, (1, a, 0, False), (1, b, 0, False), most=2) == [
        (0, 3, "cancelled", True, 1), (0, 3, "cancelled", True, 2), (1, 1, "pending", False, 1)]
    # The first look answers also who has not moved, but nobody who is not there, or not this tenant's.
    nobody = "01890000-0000-7000-8000-000000000000"
    assert watch(c, (1, b, 1, True), (1, b, 7, True), (2, b, 0, True), (1, nobody, 0, True), (2, b, 0, False)) == [
        (0, 1, "pending", False, 0), (1, 1, "pending", False, 0)]


def test_rejected_order_is_settled_when_its_last_payment_is(c):
    order = c.place([(1, 0, 0, 2), (2, 1, 1, 3)])
    c.db.query(f"UPDATE payment SET state = 'declined' WHERE order_id = '{order}' AND group_no = 1")
    assert [w[3] for w in watch(c, (1, order, 0, False))] == [False]
    for state, settled in (("unknown", False), ("requires_action", False), ("authorized", False), ("voided", True),
                           ("declined", True), ("captured", True), ("pending", False)):
        c.db.query(f"UPDATE payment SET state = '{state}' WHERE order_id = '{order}' AND group_no = 2")
        assert [w[3] for w in watch(c, (1, order, 0, False))] == [settled], state
    c.db.query(f"UPDATE payment SET state = 'pending' WHERE order_id = '{order}'")


def movements(c, most=9, before=None, **filters):
    """Rows behind the row `before`."""
    at = dict(before_at=before and before["at"], before_cause=before and before["cause"], before_n=before and before["movement"])
    return c.store.read("movement_list", dict(tenant=1, sku=None, location_code=None, order_id=None, most=most) | at | filters)


def test_movements_are_listed_newest_first_by_every_filter(c):
    order = c.place([(1, 0, 0, 2), (2, 1, 1, 3)])
    c.run(c.world.cancel(1, order))
    ledger = c.db.query("SELECT i.sku, w.code, m.order_id, m.cause, m.n FROM stock_movement m JOIN item i USING (tenant, item) "
                        "JOIN location w USING (tenant, location) WHERE tenant = 1 ORDER BY m.at DESC, m.cause DESC, m.n DESC")
    for filters in (dict(sku="sku-0"), dict(location_code="place-1"), dict(sku="sku-0", location_code="place-0"),
                    dict(order_id=order), dict(order_id=order, sku="sku-1"), dict(order_id=order, location_code="place-0"),
                    dict(order_id=order, sku="sku-0", location_code="place-0"), dict(order_id=order, sku="sku-0", location_code="place-1")):
        want = [(cause, n) for sku, code, of, cause, n in ledger if all(
            (filters.get(k) or v) == v for k, v in (("sku", sku), ("location_code", code), ("order_id", of)))]
        got, before = [], None
        while True:  # page by page, three at a time
            page = movements(c, most=3, before=before, **filters)
            got += page
            if not page:
                break
            before = page[-1]
        assert [(r["cause"], r["movement"]) for r in got] == want, filters
        assert want or filters.get("location_code") == "place-1", filters
    for filters in (dict(sku="no such"), dict(location_code="no such"), dict(sku="sku-0", location_code="no such"),
                    dict(order_id=order, sku="no such"), dict(order_id="01890000-0000-7000-8000-000000000000")):
        assert movements(c, **filters) == [], filters
    assert movements(c, tenant=2, order_id=order) == []


def test_events_come_in_pages(c):
    order = c.place([(1, 0, 0, 1)])
    c.run(c.world.cancel(1, order))
    pages = [[r["seq"] for r in c.store.read("order_events", dict(tenant=1, order_id=order, after=n, most=2))] for n in (0, 2, 3)]
    assert pages == [["1", "2"], ["3"], []], pages


def test_list_pages_newest_first_by_tenant_and_customer(c):
    mine = sorted((c.place([(1, 0, 0, 1)], customer="lister") for _ in range(5)), reverse=True)
    page = c.store.read("order_list", dict(tenant=1, customer="lister", before=None, from_id=None, most=3))
    assert [r["order_id"] for r in page] == mine[:3]
    rest = c.store.read("order_list", dict(tenant=1, customer="lister", before=mine[2], from_id=mine[3], most=9))
    assert [r["order_id"] for r in rest] == mine[3:4]
    everybody = c.store.read("order_list", dict(tenant=1, customer=None, before=None, from_id=None, most=200))
    ids = [r["order_id"] for r in everybody]
    assert ids == sorted(ids, reverse=True) and set(mine) < set(ids) and len(ids) == int(
        c.db.one("SELECT count(*) FROM orders WHERE tenant = 1"))
    assert c.store.read("order_list", dict(tenant=2, customer="lister", before=None, from_id=None, most=9)) == []


def test_find_request_gives_what_came_of_it(c):
    unit = c.world.order(1, [(1, 0, 0, 1)])
    c.run(unit)
    head = dict(tenant=1, request_method=1, request_key=unit[1]["request_key"])
    row, = c.store.read("request_find", head)
    assert (row["resource"], row["fingerprint"]) == (unit[1]["order_id"], "\\x" + unit[1]["fingerprint"].hex())
    assert c.store.read("request_find", dict(head, tenant=2)) == []
    assert c.store.read("request_find", dict(head, request_method=2)) == []


def main():
    sql = statements(sys.argv[1])
    with Server() as server:
        name = server.database("request")
        with server.session(name) as session, server.session(name) as db:
            world = World(Store(session, sql))
            for tenant in (1, 2):
                world.tenant(tenant, items=3, places=4 - tenant)
                for place in (0, 1):
                    world.receive(tenant, place, [(item, 50) for item in range(3)])
            for test, f in list(globals().items()):
                if test.startswith("test_"):
                    f(Case(world, db))
                    check_books(db)
                    print("ok", test, flush=True)


main()
