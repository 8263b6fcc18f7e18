#!/usr/bin/python3
"""Orders walk through their whole life, and every way out of it, by the statements the store sends.

usage: sql_life.py SQLGEN [unittest arguments]
"""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import SqlError  # noqa: E402
from sqlwalk import WORKER, Stage, Unit, Walk, new_id  # noqa: E402


class Life(unittest.TestCase):
    def setUp(self):
        self.walk = Walk(STAGE)
        self.addCleanup(self.walk.close)

    def sees(self, order, state, payment_state, fulfillment_state):
        self.assertEqual(self.walk.look(order), [state, payment_state, fulfillment_state])

    # ---- the good way

    def test_one_group_goes_from_placed_to_completed(self):
        order = self.walk.order()
        self.walk.one(order.whole_life())
        self.sees(order, "completed", "captured", "delivered")
        self.assertEqual(self.walk.events(order), [
            "placed", "payment_authorized", "confirmed", "picked", "packed", "label_bought", "payment_captured", "shipped",
            "tracking", "delivered", "completed"])
        self.assertEqual(self.walk.query("SELECT status FROM shipment_scan ORDER BY status"), [["delivered"], ["in_transit"]])

    def test_two_groups_are_confirmed_together_and_shipped_apart(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.authorize(1, "authorized"))
        self.sees(order, "pending", "pending", "unfulfilled")
        walk.one(order.authorize(2, "confirmed"))
        self.sees(order, "confirmed", "authorized", "allocated")
        walk.one(order.ship(2))
        self.sees(order, "confirmed", "partially_captured", "partially_shipped")
        walk.one(order.track(2, "delivered", "delivered"))
        self.sees(order, "confirmed", "partially_captured", "partially_delivered")
        walk.one(order.ship(1))
        self.sees(order, "confirmed", "captured", "partially_delivered")
        walk.one(order.track(1, "delivered", "completed"))
        self.sees(order, "completed", "captured", "delivered")

    def test_two_groups_both_travelling_are_shipped(self):
        order = self.walk.order(2)
        self.walk.one(order.pay(), order.ship(1), order.ship(2))
        self.sees(order, "confirmed", "captured", "shipped")

    def test_many_orders_in_one_batch_live_as_if_alone(self):
        orders = [self.walk.order(1 + n % 2, tenant=1 + n // 3 % 2) for n in range(12)]
        self.walk.together([order.whole_life() for order in orders])
        for order in orders:
            self.sees(order, "completed", "captured", "delivered")
        self.assertEqual(self.walk.query("SELECT DISTINCT reserved + allocated FROM stock WHERE tenant = 2"), [["0"]])

    def test_many_ends_in_one_batch(self):
        orders = [self.walk.order(2) for _ in range(9)]

        def paid_or_not(n, order):
            yield from order.authorize(1, "authorized")
            head = yield from order.begin(2)
            if n % 3 == 0:
                yield from order.authorized(head, "confirmed")
            elif n % 3 == 1:
                yield from order.decline(head, "rejected")
                yield from order.void(1)
            else:
                yield order.cancelling()
                yield from order.authorized(head, "void")
                yield from order.void(2)
                yield from order.void(1)
        self.walk.together([paid_or_not(n, order) for n, order in enumerate(orders)])
        states = [self.walk.look(order)[0] for order in orders]
        self.assertEqual(states, ["confirmed", "rejected", "cancelled"] * 3)

    def test_random_lives_end_with_nothing_held(self):
        chance = random.Random(7)
        orders = [self.walk.order(1 + n % 2, expires_s=0) for n in range(40)]
        self.walk.together([self.stroll(order, chance) for order in orders])
        ends = {self.walk.look(order)[0] for order in orders}
        self.assertEqual(ends, {"completed", "cancelled", "rejected", "expired"})
        end = self.walk.bystander.cancelling()
        self.walk.store.ask(end.name, end.head, end.lines)
        self.assertEqual(self.walk.query("SELECT sum(reserved + allocated) FROM stock"), [["0"]])
        self.assertEqual(self.walk.query("SELECT count(*) FROM payment WHERE state IN ('unknown', 'authorized')"), [["0"]])

    def stroll(self, order, chance):
        """Whatever is open is done in any order, with any answer of the outside world, until nothing is open."""
        while True:
            self.walk.time_passes()
            jobs = self.walk.query(f"SELECT group_no, kind FROM job WHERE order_id = '{order.id}' AND state = 'ready' "
                                   "ORDER BY group_no, kind")
            if not jobs:
                return
            group, kind = chance.choice([(int(g), k) for g, k in jobs])
            luck = chance.random()
            if luck < 0.05:
                yield chance.choice((order.cancelling, order.expiring))(None)
            elif kind == "payment.authorize":
                yield from self.authorize_somehow(order, group, chance)
            elif kind == "notification.mail":
                yield from order.tell("sent" if luck > 0.5 else "refused")
            elif kind == "shipping.track":
                yield from order.track(group, "delivered" if luck > 0.5 else "in_transit", None if luck > 0.5 else "waiting")
            else:
                yield from {"payment.void": order.void, "payment.capture": order.capture, "shipping.label": order.label,
                            "shipping.handover": order.hand_over, "fulfillment.pick": lambda g: order.pick(g, None),
                            "fulfillment.pack": lambda g: order.pack(g, None)}[kind](group)

    def authorize_somehow(self, order, group, chance):
        head = yield from order.begin(group, None)
        luck = chance.random()
        if head["attempt_id"] is None:
            yield Unit("job_settle", {"job_id": head["job_id"], "epoch": head["epoch"]})
        elif luck < 0.3:
            yield Unit("payment_unknown", {**head, "delay_ms": 1000, "error": "timeout"})
        elif luck < 0.4:
            yield from order.decline(head, None)
        else:
            yield from order.authorized(head, None)

    # ---- telling the customer

    def test_each_thing_worth_telling_is_one_mail(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1))
        walk.one(order.track(1, "out_for_delivery", "waiting"), order.track(1, "delivered", "completed"))
        self.assertEqual(walk.mails(order), [(t, "queued") for t in ("confirmed", "shipped", "out_for_delivery", "delivered")])
        self.assertEqual(walk.query(f"SELECT DISTINCT kind, priority FROM job WHERE id IN (SELECT id FROM notification "
                                    f"WHERE order_id = '{order.id}')"), [["notification.mail", "2"]])
        walk.one(order.tell(), order.tell("refused", "550 5.1.1"), order.tell("suppressed", "no address"))
        self.assertEqual([state for _, state in walk.mails(order)], ["sent", "refused", "suppressed", "queued"])
        self.assertEqual(walk.query(f"SELECT detail, sent_at IS NULL FROM notification WHERE order_id = '{order.id}' "
                                    "ORDER BY seq"), [[None, "f"], ["550 5.1.1", "t"], ["no address", "t"], [None, "t"]])

    def test_an_order_that_wants_no_mail_gets_none(self):
        walk, order = self.walk, self.walk.order()
        walk.query(f"UPDATE orders SET notify = false WHERE id = '{order.id}'")
        walk.one(order.whole_life())
        self.assertEqual(walk.mails(order), [])
        self.assertEqual(walk.query("SELECT count(*) FROM job WHERE kind = 'notification.mail' "
                                    f"AND order_id = '{order.id}'"), [["0"]])

    def find_mail(self, order, which):
        notification = self.walk.query(f"SELECT id FROM notification WHERE order_id = '{order.id}' ORDER BY seq")[which][0]
        return self.walk.store.ask("mail_find", {"tenant": order.tenant, "notification_id": notification})[0]

    def test_a_refused_payment_is_told_of_once(self):
        walk, order = self.walk, self.walk.order(2)
        head = None

        def declined():
            nonlocal head
            head = yield from order.begin(1)
            yield from order.decline(head, "rejected")
        walk.one(declined())
        self.assertEqual([t for t, _ in walk.mails(order)], ["payment_problem", "payment_problem"])
        self.assertEqual([self.find_mail(order, n)["kind"] for n in (0, 1)], ["payment_declined", "rejected"])
        self.assertEqual([self.find_mail(order, n)["overtaken"] for n in (0, 1)], ["t", "f"])
        # an order that waits for another method is told of the refusal itself, and of the latest only
        walk.query(f"ALTER TABLE orders DISABLE TRIGGER USER; UPDATE orders SET state = 'pending' WHERE id = '{order.id}'")
        self.assertEqual(self.find_mail(order, 0)["overtaken"], "f")
        walk.query(f"INSERT INTO order_event (tenant, order_id, seq, kind, to_state, group_no, actor) "
                   f"VALUES ({order.tenant}, '{order.id}', 99, 'payment_declined', 'pending', 1, 'test')")
        self.assertEqual(self.find_mail(order, 0)["overtaken"], "t")
        walk.query(f"DELETE FROM order_event WHERE order_id = '{order.id}' AND seq = 99; "
                   f"UPDATE payment SET state = 'pending' WHERE order_id = '{order.id}'")
        self.assertEqual(self.find_mail(order, 0)["overtaken"], "t")

    def test_a_mail_lists_its_parcel_or_the_order(self):
        walk, order = self.walk, self.walk.order(2)

        def lines(group, most=10):
            rows = walk.store.ask("mail_lines", {"tenant": 1, "order_id": order.id, "group_no": group, "most": most})
            return [(r["line"], r["qty"], r["lines"]) for r in rows]
        walk.one(order.pay())
        self.assertEqual(lines(0), [("1", "2", "3"), ("2", "3", "3"), ("3", "1", "3")])
        self.assertEqual(lines(0, 1), [("1", "2", "3")])
        self.assertEqual(lines(1), [("1", "2", "2"), ("2", "1", "2")])
        self.assertEqual(lines(2), [("2", "2", "2"), ("3", "1", "2")])

    # ---- money

    def test_an_attempt_is_taken_up_again_not_doubled(self):
        order = self.walk.order()
        self.walk.one(order.begin(1))
        self.walk.query("UPDATE job SET lease_until = now() - interval '1 s' WHERE state = 'running'")
        first = order.attempts[1]
        job = self.walk.session.one(f"SELECT id FROM job WHERE order_id = '{order.id}'")
        epoch = self.walk.store.ask("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60})[0]["epoch"]
        self.assertEqual(epoch, "2")
        head = order.head(group_no=1, job_id=job, epoch=2)
        self.walk.one(Unit("payment_found", {**head, "attempt_id": first, "gateway_id": "pi_9"}))
        got = self.walk.ask(Unit("payment_begin", {**head, "attempt_id": new_id()}, (), "resume"))[0]
        self.assertEqual((got["attempt_id"], got["attempt_state"], got["gateway_id"]), (first, "intent", "pi_9"))
        self.walk.one(order.authorized({**head, "attempt_id": first}, "confirmed"))

    def test_an_unknown_payment_is_told_once_and_then_authorized(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.authorize(2, "authorized"))
        head = None

        def doubtful():
            nonlocal head
            for outcome in ("begun", "resume"):
                walk.time_passes()
                head = yield from order.begin(1, outcome)
                yield Unit("payment_unknown", {**head, "delay_ms": 1000, "error": "timeout"})
        walk.one(doubtful())
        self.sees(order, "pending", "unknown", "unfulfilled")
        self.assertEqual(walk.events(order).count("payment_unknown"), 1)
        walk.time_passes()

        def found():
            again = yield from order.begin(1, "resume")
            yield from order.authorized(again, "confirmed")
        walk.one(found())
        self.sees(order, "confirmed", "authorized", "allocated")

    def test_a_decline_rejects_the_order_and_voids_the_other_group(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.authorize(1, "authorized"))

        def refused():
            head = yield from order.begin(2)
            yield from order.decline(head, "rejected")
        walk.one(refused())
        self.sees(order, "rejected", "declined", "cancelled")
        walk.one(order.void(1))
        self.sees(order, "rejected", "declined", "cancelled")
        self.assertEqual(walk.events(order)[-3:], ["payment_declined", "rejected", "payment_voided"])

    def test_a_decline_voids_a_group_nobody_has_tried(self):
        walk, order = self.walk, self.walk.order(2)

        def refused():
            head = yield from order.begin(1)
            yield from order.decline(head, "rejected")
            yield from order.begin(2, "moot")
        walk.one(refused())
        self.assertEqual(walk.query(f"SELECT state FROM payment WHERE order_id = '{order.id}' ORDER BY group_no"),
                         [["declined"], ["voided"]])

    def test_money_that_comes_after_the_rejection_is_given_back(self):
        walk, order = self.walk, self.walk.order(2)
        heads = {}

        def both_begun():
            for group in (1, 2):
                heads[group] = yield from order.begin(group)
            yield from order.decline(heads[2], "rejected")
            yield from order.authorized(heads[1], "void")
            yield from order.void(1)
        walk.one(both_begun())
        self.sees(order, "rejected", "declined", "cancelled")

    def test_two_declines_are_both_recorded(self):
        walk, order = self.walk, self.walk.order(2)

        def both_begun():
            heads = []
            for group in (1, 2):
                heads.append((yield from order.begin(group)))
            yield from order.decline(heads[0], "rejected")
            yield from order.decline(heads[1], "recorded")
        walk.one(both_begun())
        self.sees(order, "rejected", "declined", "cancelled")

    def test_more_than_authorized_is_never_captured(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1))
        unit = None
        capture = order.capture(1)
        rows = None
        while unit is None or unit.name != "payment_captured":
            unit = capture.send(rows)
            if unit.name != "payment_captured":
                rows = walk.ask(unit)
        unit.head["amount_minor"] = int(unit.head["amount_minor"]) + 1
        with self.assertRaises(SqlError) as refused:
            walk.store.ask(unit.name, unit.head)
        self.assertEqual(refused.exception.constraint, "payment_capped")

    def test_a_parcel_does_not_leave_before_its_money(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1))
        job = new_id()
        walk.query(f"INSERT INTO job (id, tenant, order_id, group_no, kind) VALUES ('{job}', 1, '{order.id}', 1, "
                   "'shipping.handover')")
        walk.store.ask("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60})
        head = order.head(group_no=1, job_id=job, epoch=1)
        walk.must_change_nothing("shipment_handed_over", {**head, "next_job": new_id(), "track_delay_ms": 0}, [],
                                 "not captured")

    # ---- ways out

    def test_cancelled_before_any_money(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.cancelling())
        self.sees(order, "cancelled", "voided", "cancelled")
        walk.one(order.begin(1, "moot"))

    def test_cancelled_while_the_gateway_is_asked_then_authorized(self):
        walk, order = self.walk, self.walk.order()

        def way():
            head = yield from order.begin(1)
            yield order.cancelling()
            again = yield Unit("payment_begin", {**head, "attempt_id": new_id()}, (), "resume")
            self.assertEqual(again[0]["order_state"], "cancelling")
            yield from order.authorized(head, "void")
            yield from order.void(1)
        walk.one(way())
        self.sees(order, "cancelled", "voided", "cancelled")
        self.assertEqual(walk.events(order)[-4:], ["cancel_requested", "payment_authorized", "payment_voided", "cancelled"])

    def test_cancelled_while_the_gateway_is_asked_then_declined(self):
        walk, order = self.walk, self.walk.order()

        def way():
            head = yield from order.begin(1)
            yield order.cancelling()
            yield from order.decline(head, "recorded")
        walk.one(way())
        self.assertEqual(walk.look(order)[0], "cancelled")

    def test_cancelled_while_nobody_knows_then_declined(self):
        walk, order = self.walk, self.walk.order()

        def way():
            head = yield from order.begin(1)
            yield Unit("payment_unknown", {**head, "delay_ms": 0, "error": "timeout"})
            yield order.cancelling()
            head = yield from order.begin(1, "resume")
            yield from order.decline(head, "recorded")
        walk.one(way())
        self.sees(order, "cancelled", "declined", "cancelled")

    def test_cancelled_when_half_paid(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.authorize(1, "authorized"), order.cancelling())
        self.assertEqual(walk.look(order)[0], "cancelling")
        walk.one(order.begin(2, "moot"), order.void(1))
        self.sees(order, "cancelled", "voided", "cancelled")

    def test_cancelled_when_confirmed_picks_nothing(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay(), order.cancelling(), order.pick(1, "moot"), order.void(1), order.void(2),
                 order.pick(2, "moot"))
        self.sees(order, "cancelled", "voided", "cancelled")

    def test_cancelled_when_one_group_is_picked_packs_nothing(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay(), order.pick(2), order.cancelling(), order.pack(2, "moot"), order.void(2), order.void(1))
        self.sees(order, "cancelled", "voided", "cancelled")

    def test_packed_is_too_late_to_cancel(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay(), order.pick(2), order.pack(2), order.cancelling("not_cancellable"), order.ship(1))
        self.sees(order, "confirmed", "partially_captured", "partially_shipped")

    def test_expired_half_paid_gives_the_money_back(self):
        walk, order = self.walk, self.walk.order(2, expires_s=0)
        walk.one(order.authorize(2, "authorized"), order.expiring("expired"), order.void(2))
        self.assertEqual(walk.look(order)[0], "expired")

    def test_an_order_whose_payment_is_under_way_does_not_expire(self):
        walk, order = self.walk, self.walk.order(1, expires_s=0)

        def way():
            head = yield from order.begin(1)
            yield order.expiring("not_due")
            yield from order.authorized(head, "confirmed")
            yield order.expiring("not_due")
        walk.one(way())

    # ---- parcels

    def test_the_first_label_intent_stays(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1))

        def twice():
            head = yield from order.claim(1, "shipping.label")
            yield Unit("label_intent", {**head, "remote_id": "shp_1"})
            kept = yield Unit("label_intent", {**head, "remote_id": "shp_2"})
            self.assertEqual(kept[0]["remote_id"], "shp_1")
        walk.one(twice())

    def test_a_shipment_is_found_with_all_a_label_needs(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay(), order.pick(2), order.pack(2))
        got = walk.store.read("shipment_find", order.head(group_no=2))[0]
        self.assertEqual((got["shipment_id"], got["state"], got["weight_g"], got["from_name"], got["payment_state"]),
                         (order.shipments[2], "planned", "30", "place 1", "authorized"))
        self.assertEqual(walk.store.read("shipment_find", order.head(group_no=1)), [])
        self.assertEqual(walk.store.read("shipment_find", {**order.head(group_no=2), "tenant": 2}), [])

    def test_an_unchanged_tracking_state_is_no_event(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1), order.track(1, "in_transit", "waiting"), order.track(1, "in_transit", "waiting"))
        self.assertEqual(walk.events(order).count("tracking"), 1)
        self.assertEqual(walk.session.one("SELECT attempts FROM job WHERE kind = 'shipping.track'"), "0")


def setUpModule():
    global STAGE
    STAGE = Stage(SQLGEN)


def tearDownModule():
    STAGE.stop()


if __name__ == "__main__":
    SQLGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
