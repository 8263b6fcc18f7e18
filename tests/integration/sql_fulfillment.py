#!/usr/bin/python3
"""Fulfilment by people: picks and packs that are confirmed, goods that are not on the shelf, and where those and their
money go, by the statements the store sends.

usage: sql_fulfillment.py SQLGEN [unittest arguments]
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import SqlError  # noqa: E402
from sqlwalk import MANUAL, RARE, Stage, Unit, Walk, new_id  # noqa: E402

AUTO = 0  # a place without people


class Fulfillment(unittest.TestCase):
    def setUp(self):
        self.walk = Walk(STAGE)
        self.addCleanup(self.walk.close)

    def sees(self, order, state, payment_state, fulfillment_state):
        self.assertEqual(self.walk.look(order), [state, payment_state, fulfillment_state])

    def paid(self, shares):
        """An order at the manual place, confirmed."""
        order = self.walk.order(shares=shares)
        self.walk.one(order.pay())
        return order

    def stock(self, item, place):
        world = self.walk.world
        return [int(n) for n in self.walk.query(
            f"SELECT on_hand, reserved, allocated, unavailable FROM stock WHERE tenant = 1 "
            f"AND item = {world.items[1][item]} AND location = {world.places[1][place]}")[0]]

    def money(self, order):
        """Of each group: state and amount; then what no payment is for."""
        rows = self.walk.query(f"SELECT state, amount_minor FROM payment WHERE order_id = '{order.id}' ORDER BY group_no")
        return [(state, int(minor)) for state, minor in rows], int(
            self.walk.session.one(f"SELECT uncovered_minor FROM orders WHERE id = '{order.id}'"))

    def holds(self, order):
        return self.walk.query("SELECT reason, detail, released_at IS NULL FROM order_hold "
                               f"WHERE order_id = '{order.id}' ORDER BY group_no, reason")

    def jobs(self, order):
        return [tuple(row) for row in self.walk.query(
            f"SELECT group_no, kind, state FROM job WHERE order_id = '{order.id}' AND state <> 'done' "
            "AND kind <> 'notification.mail' ORDER BY 1, 2")]

    def leaves(self, order, group):
        """A packed parcel of the manual place goes."""
        self.walk.one(order.label(group), order.capture(group))
        if self.walk.open_job_count(order, group, "shipping.handover") == 0:  # parked until somebody has seen it go
            self.walk.one(order.confirming([group]))
        self.walk.one(order.hand_over(group))

    def deliver(self, order, group, outcome):
        self.leaves(order, group)
        self.walk.one(order.track(group, "delivered", outcome))

    def lists(self, most=100, most_lines=1000, **filters):
        head = dict(tenant=1, fulfillment_id=None, order_id=None, location_code=None, state=None, after=None, most=most,
                    most_lines=most_lines)
        return self.walk.store.read("fulfillment_list", {**head, **filters})

    # ---- the good way

    def test_a_manual_place_picks_and_packs_when_it_says_so(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3), (2, 1, MANUAL, 1)])
        self.assertEqual(self.jobs(order), [("1", "fulfillment.pick", "parked")])
        walk.one(order.confirm_pick(1))
        self.assertEqual(self.jobs(order), [("1", "fulfillment.pack", "parked")])
        walk.one(order.confirm_pack(1, weight=777))
        self.assertEqual(walk.fulfillment(order), ["packed"])
        sscc, weight = walk.query(f"SELECT sscc, weight_g FROM shipment WHERE order_id = '{order.id}'")[0]
        self.assertRegex(sscc, r"^09520000\d{10}$")
        self.assertEqual(weight, "777")
        self.deliver(order, 1, "completed")
        self.sees(order, "completed", "captured", "delivered")
        self.assertEqual(walk.fulfillment(order), ["closed"])
        self.assertEqual(walk.events(order), [
            "placed", "payment_authorized", "confirmed", "picked", "packed", "label_bought", "payment_captured", "shipped",
            "delivered", "completed"])

    def test_an_automatic_place_may_confirm_what_no_worker_has_taken(self):
        walk, order = self.walk, self.paid([(1, 0, AUTO, 2)])
        walk.one(order.confirm_pick(1))
        self.assertEqual(self.jobs(order), [("1", "fulfillment.pack", "ready")])
        walk.one(order.confirm_pack(1))
        self.deliver(order, 1, "completed")

    def test_what_a_worker_has_taken_nobody_confirms(self):
        walk, order = self.walk, self.paid([(1, 0, AUTO, 2)])
        claim = order.claim(1, "fulfillment.pick")
        unit = next(claim)
        head = order.confirmation(1, 5, "fulfillment.pick", None, b"r")  # as read before the worker came
        walk.ask(unit)
        pick = {**head, "pack_job": new_id(), "void_job": new_id(), "resource_job": new_id()}
        walk.one(Unit("pick_confirmed", pick, (), "not_pickable"))

    def test_automatic_and_confirmed_parcels_are_numbered_alike(self):
        walk, auto, manual = self.walk, self.paid([(1, 0, AUTO, 1)]), self.paid([(1, 0, MANUAL, 1)])
        walk.one(auto.pick(1), auto.pack(1), manual.confirm_pick(1), manual.confirm_pack(1))
        numbers = [row[0] for row in walk.query("SELECT sscc FROM shipment")]
        self.assertEqual(len(set(numbers)), 2)
        for number in numbers:
            digits = [int(d) for d in number]
            self.assertEqual(sum(d * (3 if i % 2 == 0 else 1) for i, d in enumerate(digits)) % 10, 0, number)

    # ---- reports

    def test_a_report_told_twice_is_one_pick_and_another_is_too_late(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        walk.one(order.confirm_pick(1, key="hall/1"), order.confirm_pick(1, "seen", key="hall/1"),
                 order.confirm_pick(1, "seen", key="hall/1", body=b"o", line1=1),
                 order.confirm_pick(1, "not_pickable", key="hall/2"))
        walk.one(order.confirm_pack(1, key="hall/1"), order.confirm_pack(1, "seen", key="hall/1"),
                 order.confirm_pack(1, "not_packable", key="hall/2"))
        self.assertEqual(walk.events(order).count("picked") + walk.events(order).count("packed"), 2)

    def test_two_reports_at_once_are_one_pick(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        first, second = next(order.confirm_pick(1, line1=1)), next(order.confirm_pick(1, line1=2))
        other = walk.stage.connect()
        with self.subTest("the one waits for the other's order"):
            walk.store.begin([(first.name, first.head, first.lines)])
            other.session.query("SET lock_timeout = '200ms'")
            with self.assertRaises(SqlError):
                other.batch([(second.name, second.head, second.lines)])
            walk.query("COMMIT")
        rows = other.ask(second.name, second.head, second.lines)
        self.assertEqual([row["outcome"] for row in rows], ["not_pickable"])
        other.session.close()
        walk.prove()
        self.assertEqual(walk.session.one(f"SELECT picked FROM order_line WHERE order_id = '{order.id}'"), "1")

    def test_nothing_is_packed_before_it_is_picked_and_nothing_picked_when_packed(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        walk.one(order.confirm_pack(1, "not_packable"), order.confirm_pick(1), order.confirm_pack(1),
                 order.confirm_pick(1, "not_pickable"))

    def test_lines_and_numbers_there_are_not_are_mistakes(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3), (2, 1, MANUAL, 1)])
        walk.one(order.confirm_pick(1, "mistaken", line3=0), order.confirm_pick(1, "mistaken", line1=4),
                 order.confirm_pick(1, "mistaken", line2=-1), order.confirm_pick(1, line1=3, line2=1))

    def test_many_reports_in_one_batch_are_as_if_alone(self):
        walk = self.walk
        orders = [self.paid([(1, 0, MANUAL, 3), (2, 1, MANUAL, 2)]) for _ in range(9)]

        def way(n, order):
            yield from order.confirm_pick(1, line1=n % 4)
            if n % 4 < 3:
                yield from order.search([(1, 0, AUTO, 3 - n % 4)], "sourced", 3 - n % 4)
            yield from order.confirm_pack(1)
        walk.together([way(n, order) for n, order in enumerate(orders)])
        self.assertEqual([self.money(order)[0][0][1] for order in orders], [200 + 100 * (n % 4) for n in range(9)])

    # ---- short

    def test_short_and_sourced_elsewhere_is_paid_exactly(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3), (2, 1, MANUAL, 1)])
        before = self.stock(0, MANUAL)
        walk.one(order.confirm_pick(1, line1=1))
        self.sees(order, "confirmed", "authorized", "backordered")
        self.assertEqual(self.money(order), ([("authorized", 200)], 200))
        on_hand, _, allocated, unavailable = self.stock(0, MANUAL)
        self.assertEqual((on_hand, allocated, unavailable), (before[0], before[2] - 2, before[3] + 2))
        self.assertEqual(self.jobs(order), [("0", "fulfillment.resource", "ready"), ("1", "fulfillment.pack", "parked")])
        walk.one(order.search([(1, 0, AUTO, 2)], "sourced", 2))
        self.sees(order, "confirmed", "pending", "allocated")
        self.assertEqual(self.money(order), ([("authorized", 200), ("pending", 200)], 0))
        self.assertEqual(self.holds(order), [])
        walk.one(order.authorize(2, "reauthorized"))
        self.sees(order, "confirmed", "authorized", "allocated")
        walk.one(order.confirm_pack(1))
        self.leaves(order, 1)
        self.sees(order, "confirmed", "partially_captured", "partially_shipped")
        walk.one(order.ship(2), order.track(1, "delivered", "delivered"))
        self.sees(order, "confirmed", "captured", "partially_delivered")
        walk.one(order.track(2, "delivered", "completed"))
        self.assertEqual(self.money(order), ([("captured", 200), ("captured", 200)], 0))
        self.assertEqual(walk.events(order)[3:6], ["pick_short", "resourced", "payment_authorized"])
        detail = walk.session.one(f"SELECT detail FROM order_event WHERE order_id = '{order.id}' AND kind = 'pick_short'")
        self.assertRegex(detail, "^site/.*: 1 of 3 of line 1$")

    def test_short_without_stock_is_held_until_some_is_received(self):
        walk, order = self.walk, self.paid([(1, RARE, MANUAL, 5)])
        walk.one(order.confirm_pick(1, line1=3), order.search([], "waiting", 2))
        self.sees(order, "confirmed", "authorized", "backordered")
        self.assertEqual(self.holds(order), [["inventory", "units missing: 2", "t"]])
        walk.one(order.search([], "waiting", 2), order.confirm_pack(1))
        self.leaves(order, 1)
        self.sees(order, "confirmed", "captured", "partially_shipped")
        walk.one(order.track(1, "delivered", "delivered"))
        self.sees(order, "confirmed", "captured", "partially_delivered")
        walk.world.receive(1, MANUAL, [(RARE, 1)])
        walk.one(order.search([(1, RARE, MANUAL, 1)], "partly", 2))
        self.assertEqual(self.holds(order), [["inventory", "units missing: 1", "t"]])
        walk.world.receive(1, AUTO, [(RARE, 1)])
        walk.one(order.search([(1, RARE, AUTO, 1)], "sourced", 1))
        self.assertEqual(self.holds(order), [["inventory", "units missing: 1", "f"]])
        self.assertEqual(self.jobs(order), [("2", "payment.authorize", "ready"), ("3", "payment.authorize", "ready")])
        self.assertEqual(walk.events(order).count("delayed"), 1)
        walk.one(order.authorize(2, "reauthorized"), order.authorize(3, "reauthorized"), order.confirm_pick(2),
                 order.confirm_pack(2), order.ship(3), order.track(3, "delivered", "delivered"))
        self.deliver(order, 2, "completed")
        self.assertEqual(self.money(order), ([("captured", 300), ("captured", 100), ("captured", 100)], 0))

    def test_all_short_ends_the_group_and_lets_its_money_go(self):
        walk, order = self.walk, self.paid([(1, RARE, MANUAL, 2), (2, 0, AUTO, 1)])
        walk.one(order.confirm_pick(1, line1=0))
        self.assertEqual(walk.fulfillment(order), ["cancelled", "open"])
        self.assertEqual(self.money(order), ([("authorized", 0), ("authorized", 100)], 200))
        self.assertEqual(self.jobs(order), [("0", "fulfillment.resource", "ready"), ("1", "payment.void", "ready"),
                                            ("2", "fulfillment.pick", "ready")])
        walk.one(order.void(1))
        self.sees(order, "confirmed", "authorized", "backordered")
        walk.one(order.ship(2), order.track(2, "delivered", "delivered"))
        self.sees(order, "confirmed", "captured", "partially_delivered")
        walk.world.receive(1, AUTO, [(RARE, 2)])
        walk.one(order.search([(1, RARE, AUTO, 2)], "sourced", 2), order.authorize(3, "reauthorized"), order.ship(3),
                 order.track(3, "delivered", "completed"))
        self.sees(order, "completed", "captured", "delivered")
        self.assertEqual(self.money(order), ([("voided", 0), ("captured", 100), ("captured", 200)], 0))

    def test_what_has_not_been_looked_for_does_not_hold_the_order(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3), (2, 1, MANUAL, 3)])
        walk.one(order.confirm_pick(1, line1=1, line2=1), order.search([(1, 0, AUTO, 2)], "partly", 4, more=True))
        self.assertEqual((self.holds(order), walk.events(order)[-1]), ([], "resourced"))
        walk.one(order.search([(2, 1, AUTO, 2)], "sourced", 2))
        self.assertEqual(self.holds(order), [])

    def test_short_twice_is_looked_for_by_one_job(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3), (2, 1, AUTO, 2)])
        walk.one(order.confirm_pick(1, line1=2), order.search([], "waiting", 1))
        walk.one(order.confirm_pick(2, line2=1))
        self.assertEqual([job for job in self.jobs(order) if job[0] == "0"], [("0", "fulfillment.resource", "ready")])
        self.assertEqual(walk.query(f"SELECT run_at <= now() FROM job WHERE order_id = '{order.id}' AND kind = 'fulfillment.resource'"), [["t"]])
        walk.one(order.search([(1, 0, AUTO, 1), (2, 1, 1, 1)], "sourced", 2))
        self.assertEqual(walk.events(order).count("delayed"), 1)

    def test_short_again_after_the_hold_was_released_is_told_again(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        walk.one(order.confirm_pick(1, line1=2), order.search([], "waiting", 1), order.search([(1, 0, AUTO, 1)], "sourced", 1),
                 order.authorize(2, "reauthorized"), order.confirm_pick(2, line1=0), order.search([], "waiting", 1))
        self.assertEqual(walk.events(order).count("delayed"), 2)
        self.assertEqual(self.holds(order), [["inventory", "units missing: 1", "t"]])

    def test_the_same_line_may_come_back_to_its_place(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        walk.one(order.confirm_pick(1, line1=1), order.search([(1, 0, MANUAL, 2)], "sourced", 2),
                 order.authorize(2, "reauthorized"), order.confirm_pick(2), order.confirm_pack(2))
        self.deliver(order, 2, "delivered")
        self.assertEqual(walk.query(f"SELECT group_no, state FROM reservation WHERE order_id = '{order.id}' ORDER BY 1"),
                         [["1", "committed"], ["2", "shipped"]])
        walk.one(order.confirm_pack(1))
        self.deliver(order, 1, "completed")

    # ---- looking for goods

    def test_what_was_seen_is_not_so_any_more(self):
        walk, order = self.walk, self.paid([(1, RARE, MANUAL, 2), (2, 0, MANUAL, 1)])
        walk.one(order.confirm_pick(1, line1=0))

        def look(shares, missing, outcome):
            head = order.head(group_no=0, **self.claimed)
            lines = [{"line": line, "item": walk.world.items[1][item], "location": walk.world.places[1][place], "qty": qty,
                      "group_no": 1, "job_id": new_id()} for line, item, place, qty in shares]
            return Unit("order_resourced", {**head, "cause": new_id(), "backordered": missing, "more": False, "delay_ms": 0}, lines, outcome)
        walk.one(order.claim(0, "fulfillment.resource"))
        job = walk.query(f"SELECT id, epoch FROM job WHERE order_id = '{order.id}' AND kind = 'fulfillment.resource'")[0]
        self.claimed = dict(job_id=job[0], epoch=int(job[1]))
        before = walk.dump()
        for shares, missing in (([], 0), ([(1, RARE, MANUAL, 3)], 3), ([(1, RARE, AUTO, 2)], 2), ([(2, 0, AUTO, 2)], 2),
                                ([(1, RARE, MANUAL, 4)], 2)):
            walk.one(look(shares, missing, "lost"))
        self.assertEqual(walk.dump(), before)
        walk.one(look([(1, RARE, MANUAL, 2)], 2, "sourced"))

    def test_goods_that_came_hurry_those_that_wait_for_them(self):
        walk = self.walk
        orders = [self.paid([(1, item, MANUAL, 2)]) for item in (0, 0, 1)]
        for order in orders:
            walk.one(order.confirm_pick(1, line1=1), order.search([], "waiting", 1))
        walk.query("UPDATE job SET run_at = now() + interval '1 hour' WHERE kind = 'fulfillment.resource'")
        item = walk.world.items[1][0]

        def late():
            return {row[0] for row in walk.query("SELECT order_id FROM job WHERE kind = 'fulfillment.resource' AND run_at > now()")}
        self.assertEqual(late(), {order.id for order in orders})
        other = walk.stage.connect()
        other.session.query(f"BEGIN; SELECT 1 FROM job WHERE order_id = '{orders[1].id}' AND kind = 'fulfillment.resource' FOR UPDATE")
        due = ("backorders_due", dict(tenant=1, most=10), [dict(item=item), dict(item=item)])
        self.assertEqual(len(walk.store.ask(*due)), 1)  # the other one is at this moment somebody's
        other.session.query("ROLLBACK")
        other.session.close()
        self.assertEqual(walk.store.ask("backorders_due", dict(tenant=2, most=10), due[2]), [])
        self.assertEqual(len(walk.store.ask(*due)), 1)
        walk.must_change_nothing(*due, "asked twice")
        self.assertEqual(late(), {orders[2].id})

    def test_goods_that_come_while_they_are_looked_for_are_looked_for_again(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 2)])
        walk.one(order.confirm_pick(1, line1=1))
        way = order.search([], "waiting", 1)
        claim = next(way)
        waits = way.send(walk.ask(claim))
        due = ("backorders_due", dict(tenant=1, most=10), [dict(item=walk.world.items[1][0])])
        self.assertEqual(walk.store.ask(*due), [])  # nobody to ring
        walk.must_change_nothing(*due, "asked twice")
        walk.ask(waits)
        self.assertEqual(walk.session.one("SELECT run_at <= now() FROM job WHERE kind = 'fulfillment.resource'"), "t")

    def test_the_last_units_go_to_one_of_two_orders_in_a_batch(self):
        walk = self.walk
        orders = [self.paid([(1, 0, MANUAL, 2)]) for _ in range(2)]
        for order in orders:
            walk.one(order.confirm_pick(1, line1=0))
        free = walk.world.adjustment(1, 1, 0, -(self.stock(0, 1)[0] - 2))
        walk.store.ask(*free)  # two are left at place 1
        walks = [order.search([(1, 0, 1, 2)], None, 2) for order in orders]
        units = []
        for way in walks:
            claim = next(way)
            units.append(way.send(walk.store.ask(claim.name, claim.head)))
        rows = walk.store.run([(u.name, u.head, u.lines) for u in units])
        self.assertEqual([r[0]["outcome"] for r in rows], ["sourced", "lost"])
        walk.prove()

    def test_a_buyer_and_a_waiting_order_do_not_both_get_the_last(self):
        walk, order = self.walk, self.paid([(1, RARE, MANUAL, 5)])
        walk.one(order.confirm_pick(1, line1=4))
        walk.world.receive(1, AUTO, [(RARE, 1)])
        way = order.search([(1, RARE, AUTO, 1)], None, 1)
        claim = next(way)
        unit = way.send(walk.store.ask(claim.name, claim.head))
        buyer, other = walk.world.order(1, [(1, RARE, AUTO, 1)]), walk.stage.connect()
        walk.store.begin([buyer])
        other.session.query("SET lock_timeout = '200ms'")
        with self.assertRaises(SqlError):  # it judged on what it saw, and waits for the row the buyer has
            other.begin([(unit.name, unit.head, unit.lines)])
        other.session.query("ROLLBACK")
        walk.query("COMMIT")
        self.assertEqual(other.ask(unit.name, unit.head, unit.lines)[0]["outcome"], "lost")
        other.session.close()
        walk.prove()

    # ---- ways out

    def test_cancelled_in_each_state(self):
        walk = self.walk

        def untouched(_):
            yield from ()

        def short(order):
            yield from order.confirm_pick(1, line1=1)

        def held(order):
            yield from short(order)
            yield from order.search([], "waiting", 2)

        def sourced(order):
            yield from short(order)
            yield from order.search([(1, 0, AUTO, 2)], "sourced", 2)

        def at_work_again(order):
            yield from sourced(order)
            yield from order.authorize(2, "reauthorized")

        for way in (untouched, lambda order: order.confirm_pick(1), short, held, sourced, at_work_again):
            with self.subTest(way.__name__):
                before = self.stock(0, MANUAL)[:3], self.stock(0, AUTO)[:3]
                order = self.paid([(1, 0, MANUAL, 3)])
                walk.one(way(order))
                walk.one(order.cancelling())
                self.assertEqual(set(walk.fulfillment(order)), {"cancelled"})
                self.assertEqual((self.stock(0, MANUAL)[:3], self.stock(0, AUTO)[:3]), before)
                self.assertEqual([hold for hold in self.holds(order) if hold[2] == "t"], [])
                for group in [int(g) for g, kind, _ in self.jobs(order) if kind == "payment.void"]:
                    walk.one(order.void(group))
                self.assertEqual(walk.look(order)[0], "cancelled")
                self.assertEqual([job for job in self.jobs(order) if job[1].startswith("fulfillment")], [])
                walk.one(order.confirm_pick(1, "not_pickable"))

    def test_cancelled_by_one_who_does_not_know_of_the_new_group(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        late = order.cancelling()  # its candidates are read: one group
        walk.one(order.confirm_pick(1, line1=1), order.search([(1, 0, AUTO, 2)], "sourced", 2), order.authorize(2, "reauthorized"),
                 late, order.void(1), order.void(2))
        self.assertEqual(walk.look(order)[0], "cancelled")

    def test_packed_is_too_late_to_cancel_though_the_rest_is_missing(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        walk.one(order.confirm_pick(1, line1=1), order.confirm_pack(1), order.cancelling("not_cancellable"))

    def test_a_search_for_a_cancelled_order_is_moot(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3)])
        walk.one(order.confirm_pick(1, line1=1))

        def overtaken():
            head = yield from order.claim(0, "fulfillment.resource")
            yield order.cancelling()
            yield Unit("order_resourced", {**head, "cause": new_id(), "backordered": 2, "more": False, "delay_ms": 0}, (), "moot")
        walk.one(overtaken(), order.void(1))
        self.assertEqual(self.jobs(order), [])

    # ---- lists

    def test_lists_filter_and_page(self):
        walk = self.walk
        orders = [self.paid([(1, 0, place, 3), (2, 1, place, 1)]) for place in (MANUAL, AUTO, MANUAL)]
        walk.one(orders[0].confirm_pick(1, line1=0))

        def found(**filters):
            seen = []
            for row in self.lists(**filters):
                if row["order_id"] not in seen:
                    seen.append(row["order_id"])
            return seen
        ids = [order.id for order in orders]
        self.assertEqual(found(), ids)
        self.assertEqual(found(state="open"), ids[1:])
        self.assertEqual(found(location_code="place-2"), [ids[0], ids[2]])
        self.assertEqual(found(location_code="place-2", state="open"), [ids[2]])
        self.assertEqual(found(location_code="nowhere"), [])
        self.assertEqual(found(order_id=ids[1]), [ids[1]])
        self.assertEqual(found(order_id=ids[1], state="picked"), [])
        self.assertEqual(found(tenant=2), [])
        first = self.lists(most=1)
        self.assertEqual(([row["line"] for row in first], first[0]["more"], first[0]["job_id"] is not None), (["2"], "t", True))
        second = self.lists(most=2, after=first[0]["fulfillment_id"])
        self.assertEqual([(row["line"], row["qty"], row["more"]) for row in second],
                         [("1", "3", "f"), ("2", "1", "f")] * 2)
        self.assertEqual(len(self.lists(most_lines=3, after=first[0]["fulfillment_id"])), 2)
        one = self.lists(fulfillment_id=first[0]["fulfillment_id"])
        self.assertEqual((one[0]["state"], one[0]["holds"], one[0]["sku"]), ("picked", None, "sku-1"))
        self.assertEqual(self.lists(fulfillment_id=first[0]["fulfillment_id"], tenant=2), [])
        walk.one(orders[0].search([], "waiting", 3))
        self.assertEqual(self.lists(order_id=ids[0])[0]["holds"], "inventory")
        held = walk.store.read("order_holds", dict(tenant=1, order_id=ids[0]))
        self.assertEqual([(h["group_no"], h["reason"]) for h in held], [("0", "inventory")])

    def test_the_quote_says_what_is_missing_and_where_it_was_missed(self):
        walk, order = self.walk, self.paid([(1, 0, MANUAL, 3), (2, RARE, MANUAL, 1)])

        def quote(tenant=1, after=0, most=10, places=10):
            return walk.store.read("backorder_quote", dict(tenant=tenant, order_id=order.id, after=after, most=most, places=places))
        self.assertEqual(quote(), [])
        walk.one(order.confirm_pick(1, line1=1, line2=0))
        self.assertEqual([(r["line"], r["qty"], r["location"] != "0", r["missed"], r["missing"], r["more"]) for r in quote()], [
            ("1", "2", True, "f", "3", "f"), ("1", "2", True, "f", "3", "f"), ("1", "2", True, "t", "3", "f"),
            ("2", "1", True, "t", "3", "f")])
        self.assertEqual([(r["line"], r["more"]) for r in quote(most=1)], [("1", "t")] * 3)
        self.assertEqual([(r["line"], r["more"]) for r in quote(after=1, most=1)], [("2", "f")])
        self.assertEqual([(r["line"], r["missed"]) for r in quote(places=2)], [("1", "f"), ("1", "f"), ("2", "t")])
        self.assertEqual(quote(tenant=2), [])


def setUpModule():
    global STAGE
    STAGE = Stage(SQLGEN)


def tearDownModule():
    STAGE.stop()


if __name__ == "__main__":
    SQLGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
