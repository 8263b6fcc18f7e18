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
from sqlworld import SSCC_PREFIX  # noqa: E402


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
        orders = [self.walk.order(1 + n % 2, expires_s=n % 3 * 900, wait_for_payment=n % 4 == 0,
                                  fallback_methods="second\nthird" if n % 5 == 0 else "") for n in range(40)]
        self.walk.together([self.stroll(order, chance) for order in orders])
        ends = {self.walk.look(order)[0] for order in orders}
        self.assertEqual(ends, {"completed", "cancelled", "rejected", "expired", "confirmed"})
        self.assertEqual(self.walk.query("SELECT count(*) FROM orders x WHERE state = 'confirmed' AND NOT EXISTS (SELECT FROM "
                                         "order_hold d WHERE d.order_id = x.id AND d.reason = 'returned')"), [["0"]])
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
                if self.walk.look(order)[:2] == ["pending", "declined"]:
                    self.walk.query(f"UPDATE orders SET expires_at = now() WHERE id = '{order.id}'")
                    yield order.expiring("expired") if chance.random() < 0.5 else order.cancelling()
                elif self.walk.held(order):
                    yield order.retrying(None)
                else:
                    return
                continue
            if self.walk.held(order) and chance.random() < 0.5:
                yield order.retrying(None)
                continue
            group, kind = chance.choice([(int(g), k) for g, k in jobs])
            luck = chance.random()
            if luck < 0.05:
                yield chance.choice((order.cancelling, order.expiring))(None)
            elif kind == "payment.authorize":
                yield from self.authorize_somehow(order, group, chance)
            elif kind == "payment.capture" and (luck < 0.3 or self.walk.payment(order, group)[0] != "authorized"):
                yield from self.capture_in_vain(order, group)
            elif kind == "notification.mail":
                yield from order.tell("sent" if luck > 0.5 else "refused")
            elif kind == "shipping.track":
                yield from self.track_somehow(order, group, chance)
            elif kind == "shipping.label" and luck < 0.2:
                yield from order.hold_label(group)
            elif kind == "shipping.void":
                yield from order.give_back(group, "SEEN" if luck < 0.3 else None)
            elif kind == "shipping.handover" and luck < 0.3:
                yield from order.voiding(group, None)
            elif kind == "shipping.handover":
                yield from order.hand_over(group, None)
            else:
                yield from {"payment.void": order.void, "payment.capture": order.capture, "shipping.label": order.label,
                            "fulfillment.pick": lambda g: order.pick(g, None),
                            "fulfillment.pack": lambda g: order.pack(g, None)}[kind](group)

    def capture_in_vain(self, order, group):
        """The authorization has ended, or is not there; the job comes back."""
        head = yield from order.claim(group, "payment.capture")
        if self.walk.payment(order, group)[0] == "authorized":
            yield Unit("payment_lapsed", {**head, "attempt_id": order.attempts[group], "gateway_ref": "pi_1",
                                          "next_job": new_id(), "delay_ms": 1000})
        else:
            yield Unit("job_settle" if self.walk.payment(order, group)[0] == "voided" else "job_retry",
                       {"job_id": head["job_id"], "epoch": head["epoch"], "delay_ms": 1000, "error": "", "refund": True})

    def track_somehow(self, order, group, chance):
        leg = 2 if self.walk.parcel(order, group)[2] == "2" else 1
        luck = chance.random()
        if luck < 0.1:
            yield from order.track(group, "return_to_sender", "waiting", leg=2)
        elif luck < 0.2:
            yield from order.report(group, "in_transit", leg=leg, exception="held")
        else:
            yield from order.track(group, "delivered" if luck > 0.5 else "in_transit", None if luck > 0.5 else "waiting", leg=leg)

    def authorize_somehow(self, order, group, chance):
        head = yield from order.begin(group, None)
        luck = chance.random()
        if head["attempt_id"] is None:
            yield Unit("job_settle", {"job_id": head["job_id"], "epoch": head["epoch"]})
        elif luck < 0.3:
            yield Unit("payment_unknown", {**head, "delay_ms": 1000, "error": "timeout"})
        elif luck < 0.4:
            yield from order.decline(head, None)
        elif luck < 0.5:
            yield from order.await_action(head, 1000)
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
        walk.one(Unit("shipment_handed_over", {**head, "next_job": new_id(), "track_delay_ms": 0, "delay_ms": 0}, (), "waiting"))
        self.assertEqual(walk.parcel(order)[0], "labelled")
        self.assertEqual(walk.query(f"SELECT state, attempts FROM job WHERE id = '{job}'"), [["ready", "0"]])

    def test_under_one_key_the_same_is_asked_although_less_is_due_by_now(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.lapse_by_hand(1))

        def doubtful():
            head = yield from order.begin(1)
            yield Unit("payment_unknown", {**head, "delay_ms": 0, "error": "timeout"})
        walk.one(doubtful())
        walk.query(f"UPDATE payment SET amount_minor = 150, method_token = 'new' WHERE order_id = '{order.id}';"
                   f"UPDATE order_line SET unit_minor = 75 WHERE order_id = '{order.id}';"
                   f"UPDATE orders SET total_minor = 150 WHERE id = '{order.id}'")
        again = self.begun(order, "resume")
        self.assertEqual((again["amount_minor"], again["method_token"], again["present"]), ("200", "tok", "f"))
        walk.one(order.authorized(again["head"], "reauthorized"))
        self.assertEqual(walk.payment(order)[:2], ["authorized", "200"])
        walk.one(order.ship(1))
        self.assertEqual(walk.query("SELECT captured_minor FROM payment WHERE state = 'captured'"), [["150"]])

    # ---- another method

    def test_a_decline_falls_back_to_the_next_method_at_once(self):
        walk, order = self.walk, self.walk.order(fallback_methods="second\nthird")
        walk.one(order.refuse(1, "fallback"))
        self.sees(order, "pending", "pending", "unfulfilled")
        self.assertEqual(walk.payment(order), ["pending", "0", "f", "second", "{third}"])
        self.assertEqual(walk.session.one("SELECT attempts FROM job WHERE state = 'ready' AND run_at <= now() AND order_id = "
                                          f"'{order.id}'"), "0")

        def second():
            head = yield from order.begin(1)
            self.assertEqual(walk.query(f"SELECT n, method_token, amount_minor FROM payment_attempt WHERE id = "
                                        f"'{head['attempt_id']}'"), [["2", "second", "200"]])
            yield from order.decline(head, "fallback")
        walk.one(second(), order.authorize(1, "confirmed"))
        self.assertEqual(walk.payment(order), ["authorized", "200", "f", "third", "{}"])
        self.assertEqual(walk.events(order), ["placed", "payment_declined", "payment_declined", "payment_authorized",
                                              "confirmed"])
        self.assertEqual(walk.query(f"SELECT detail FROM order_event WHERE order_id = '{order.id}' AND seq = 2"),
                         [["insufficient_funds"]])

    def test_the_last_decline_rejects_as_the_only_one_does(self):
        walk, order = self.walk, self.walk.order(fallback_methods="second")
        walk.one(order.refuse(1, "fallback"), order.refuse(1, "rejected"))
        self.sees(order, "rejected", "declined", "cancelled")

    def test_no_other_method_is_tried_for_an_order_whose_time_is_over(self):
        walk, order = self.walk, self.walk.order(fallback_methods="second", expires_s=0)
        walk.one(order.refuse(1, "rejected"))

    def test_no_other_method_is_tried_for_an_order_that_was_cancelled(self):
        walk, order = self.walk, self.walk.order(fallback_methods="second")

        def way():
            head = yield from order.begin(1)
            yield order.cancelling()
            yield from order.decline(head, "recorded")
        walk.one(way())
        self.sees(order, "cancelled", "declined", "cancelled")

    def test_a_declined_order_that_waits_is_retried_and_confirmed(self):
        walk, order = self.walk, self.walk.order(2, wait_for_payment=True)
        walk.one(order.authorize(1, "authorized"), order.refuse(2, "waiting"))
        self.sees(order, "pending", "declined", "unfulfilled")
        self.assertEqual(walk.work(order, 2), [])
        walk.one(order.retrying("not_declined", group=1), order.retrying(method="new", fallbacks="newer\nnewest"))
        self.sees(order, "pending", "pending", "unfulfilled")
        self.assertEqual(walk.payment(order, 2), ["pending", "0", "f", "new", "{newer,newest}"])
        walk.one(order.retrying("not_declined"), order.refuse(2, "fallback"), order.authorize(2, "confirmed"))
        self.sees(order, "confirmed", "authorized", "allocated")
        self.assertEqual(walk.events(order).count("payment_retried"), 1)

    def test_a_retry_is_once_per_request_id(self):
        walk, order = self.walk, self.walk.order(wait_for_payment=True)
        unit = order.retrying()
        walk.one(order.refuse(1, "waiting"), unit)
        self.assertEqual(walk.store.ask(unit.name, unit.head)[0]["outcome"], "seen")
        self.assertEqual(walk.work(order), ["payment.authorize"])
        walk.must_change_nothing(unit.name, {**unit.head, "tenant": 2, "request_key": "x"}, [], "a foreign tenant", True)

    def test_a_declined_order_that_waits_expires(self):
        walk, order = self.walk, self.walk.order(2, wait_for_payment=True, expires_s=0)
        walk.one(order.authorize(1, "authorized"), order.refuse(2, "waiting"), order.retrying("expired"),
                 order.expiring("expired"), order.void(1), order.retrying("expired"))
        self.assertEqual(walk.look(order)[0], "expired")

    def test_a_declined_order_that_waits_is_cancelled(self):
        walk, order = self.walk, self.walk.order(wait_for_payment=True)
        walk.one(order.refuse(1, "waiting"), order.cancelling(), order.retrying("not_declined"))
        self.sees(order, "cancelled", "voided", "cancelled")

    def test_nothing_is_retried_of_an_order_that_is_not_there(self):
        order = self.walk.order()
        unit = order.retrying("not_found")
        unit.head["order_id"] = new_id()
        self.walk.one(unit)

    # ---- the customer confirms

    def begun(self, order, outcome="begun"):
        """payment_begin asked by itself -> (head, its row)."""
        self.walk.time_passes()
        got = {}

        def way():
            head = yield from order.claim(1, "payment.authorize")
            rows = yield Unit("payment_begin", {**head, "attempt_id": new_id()}, (), outcome)
            got.update(rows[0])
            order.attempts[1] = got["attempt_id"]
            got["head"] = {**head, "attempt_id": got["attempt_id"]}
        self.walk.one(way())
        return got

    def test_a_payment_waits_for_its_customer_and_is_authorized(self):
        walk, order = self.walk, self.walk.order()
        begun = self.begun(order)
        self.assertEqual((begun["present"], begun["over"]), ("t", "f"))
        walk.one(order.await_action(begun["head"]))
        self.sees(order, "pending", "requires_action", "unfulfilled")
        again = self.begun(order, "resume")
        self.assertEqual((again["attempt_state"], again["gateway_id"], again["attempt_id"]),
                         ("requires_action", "pi_1", begun["attempt_id"]))
        walk.one(order.await_action(again["head"]), order.expiring("not_due"))
        self.assertEqual(walk.events(order).count("payment_action_required"), 1)
        self.assertEqual(walk.query("SELECT kind FROM order_event WHERE detail LIKE '%bank%'"), [])
        self.assertEqual(walk.query("SELECT attempts, run_at > now() + interval '50 s', last_error FROM job WHERE "
                                    f"kind = 'payment.authorize' AND order_id = '{order.id}'"), [["0", "t", None]])
        mail = self.find_mail(order, 0)
        self.assertEqual((mail["kind"], mail["action_url"], mail["overtaken"]),
                         ("payment_action_required", "https://bank.example/1", "f"))
        seen = walk.store.read("payment_view", {"tenant": 1, "order_id": order.id, "state": None, "after_group": 0, "most": 9})
        self.assertEqual(seen[0]["action_url"], "https://bank.example/1")
        walk.one(order.authorized(self.begun(order, "resume")["head"], "confirmed"))
        self.assertEqual(self.find_mail(order, 0)["overtaken"], "t")
        self.assertEqual(walk.query("SELECT count(action_url) FROM payment_attempt"), [["0"]])

    def test_a_payment_waits_for_its_customer_and_is_declined(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.await_action(self.begun(order)["head"]))
        walk.one(order.decline(self.begun(order, "resume")["head"], "rejected"))
        self.sees(order, "rejected", "declined", "cancelled")

    def test_a_payment_does_not_wait_longer_than_its_order(self):
        walk, order = self.walk, self.walk.order(expires_s=5, wait_for_payment=True)
        walk.one(order.await_action(self.begun(order)["head"]))
        self.assertEqual(walk.query("SELECT j.run_at BETWEEN o.expires_at AND o.expires_at + interval '1 s' FROM job j "
                                    f"JOIN orders o ON o.id = j.order_id WHERE j.kind = 'payment.authorize' AND o.id = '{order.id}'"),
                         [["t"]])
        walk.query(f"UPDATE orders SET expires_at = now() WHERE id = '{order.id}'")
        walk.one(order.expiring("not_due"))
        self.assertEqual(walk.store.read("orders_expired", {"most": 9}), [])
        again = self.begun(order, "resume")
        self.assertEqual(again["over"], "t")
        walk.one(order.decline(again["head"], "waiting"), order.expiring("expired"))

    def test_a_cancelled_order_lets_its_customer_wait_no_longer(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.await_action(self.begun(order)["head"]), order.cancelling())
        self.assertEqual(walk.look(order)[0], "cancelling")
        again = self.begun(order, "resume")
        self.assertEqual(again["over"], "t")
        walk.one(order.decline(again["head"], "recorded"))
        self.sees(order, "cancelled", "declined", "cancelled")

    # ---- authorizations that end

    def renewals(self, ahead_s=86400):
        return [row["job_id"] for row in self.walk.ask(Unit("payment_renewals_due", {"ahead_s": ahead_s, "most": 9}))]

    def test_an_authorization_that_ends_soon_is_renewed_before_it_is_captured(self):
        walk, order = self.walk, self.walk.order()

        def paid():
            head = yield from order.begin(1)
            yield from order.authorized(head, "confirmed", "2026-01-01 00:00:00+00")
        walk.one(paid())
        first = order.attempts[1]
        walk.query("UPDATE payment_attempt SET updated_at = '2025-12-25'")
        walk.query("UPDATE payment SET authorized_until = now() + interval '1 hour' WHERE state = 'authorized'")
        self.assertEqual(len(self.renewals()), 1)
        self.assertEqual(walk.store.ask("payment_renewals_due", {"ahead_s": 86400, "most": 9}), [])
        walk.one(order.lapse(1))
        self.sees(order, "confirmed", "pending", "allocated")
        self.assertEqual(walk.payment(order), ["pending", "0", "f", "tok", "{}"])
        self.assertEqual(walk.work(order), ["fulfillment.pick", "payment.authorize"])
        begun = self.begun(order)
        self.assertEqual((begun["present"], begun["order_state"]), ("f", "confirmed"))
        self.assertNotEqual(begun["attempt_id"], first)
        walk.one(order.authorized(begun["head"], "reauthorized"))
        self.sees(order, "confirmed", "authorized", "allocated")
        walk.one(order.ship(1))
        self.sees(order, "confirmed", "captured", "shipped")
        self.assertEqual(walk.query("SELECT kind, count(*) FROM payment_transaction GROUP BY kind ORDER BY kind"),
                         [["authorize", "2"], ["capture", "1"], ["void", "1"]])
        self.assertEqual(walk.events(order)[3:5], ["payment_lapsed", "payment_authorized"])

    def test_only_what_ends_soon_and_is_old_is_renewed(self):
        walk = self.walk

        def held_until(order, until, since="2 days"):
            head = yield from order.begin(1)
            yield from order.authorized(head, "confirmed", "2026-01-01 00:00:00+00")
            walk.query(f"UPDATE payment SET authorized_until = now() + interval '{until}' WHERE order_id = '{order.id}'")
            walk.query(f"UPDATE payment_attempt SET updated_at = now() - interval '{since}' WHERE order_id = '{order.id}'")
        far, young, due, ended = [walk.order() for _ in range(4)]
        walk.one(held_until(far, "25 hours"), held_until(young, "2 hours", "1 hour"), held_until(due, "2 hours", "3 hours"),
                 held_until(ended, "2 hours"), ended.cancelling())
        jobs = self.renewals()
        self.assertEqual(walk.query(f"SELECT order_id FROM job WHERE id = '{jobs[0]}'"), [[due.id]])
        self.assertEqual(len(jobs), 1)

    def test_what_is_held_for_longer_than_known_is_not_renewed(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        walk.query("INSERT INTO job (id, tenant, order_id, group_no, kind) SELECT child_id(order_id), tenant, order_id, 1, "
                   f"'payment.renew' FROM payment WHERE order_id = '{order.id}'")

        def look():
            head = yield from order.claim(1, "payment.renew")
            yield Unit("payment_held", {**head, "attempt_id": order.attempts[1], "authorized_until": "2027-01-01 00:00:00+00"})
        walk.one(look())
        self.assertEqual(walk.payment(order)[2], "t")
        self.assertEqual(walk.work(order), ["fulfillment.pick"])

    def test_a_capture_that_finds_nothing_held_waits_and_goes_on_when_it_is_held_anew(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1),
                 order.lapse(1, kind="payment.capture", back_ms=3600000))
        self.assertEqual(walk.work(order), ["payment.authorize", "payment.capture"])
        waiting = "SELECT attempts, run_at > now() FROM job WHERE kind = 'payment.capture'"
        self.assertEqual(walk.query(waiting), [["0", "t"]])

        def anew():
            head = yield from order.begin(1)
            got = yield Unit("payment_authorized", {**head, "gateway_id": "pi_2", "authorized_until": None,
                                                    "void_job": new_id()}, order.candidates(), "reauthorized")
            self.assertEqual([row["kind"] for row in got if row["kind"]], ["payment.capture"])
        walk.one(anew())
        self.assertEqual(walk.query(waiting), [["0", "f"]])
        walk.one(order.capture(1), order.hand_over(1))
        self.sees(order, "confirmed", "captured", "shipped")

    def test_the_renewal_of_a_cancelled_order_is_moot(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        walk.query("INSERT INTO job (id, tenant, order_id, group_no, kind) SELECT child_id(order_id), tenant, order_id, 1, "
                   f"'payment.renew' FROM payment WHERE order_id = '{order.id}'")
        walk.one(order.cancelling(), order.lapse(1, "moot"), order.void(1))
        self.sees(order, "cancelled", "voided", "cancelled")

    def test_a_confirmed_order_whose_new_authorization_is_declined_is_held_and_not_rejected(self):
        walk, order = self.walk, self.walk.order(2, fallback_methods="second")
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1),
                 order.lapse(1, kind="payment.capture", back_ms=3600000), order.refuse(1, "fallback"), order.refuse(1, "held"))
        self.sees(order, "confirmed", "declined", "allocated")
        self.assertEqual((walk.held(order), walk.work(order)), (["1"], ["payment.capture"]))
        walk.one(order.ship(2), order.retrying(group=1), order.authorize(1, "reauthorized"))
        self.assertEqual(walk.held(order), [])
        walk.one(order.capture(1), order.hand_over(1))
        self.sees(order, "confirmed", "captured", "shipped")

    def test_a_held_order_that_is_cancelled_is_held_no_more(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.lapse_by_hand(1), order.refuse(1, "held"))
        self.assertEqual(walk.held(order), ["1"])
        walk.one(order.cancelling())
        self.assertEqual(walk.held(order), [])
        self.sees(order, "cancelled", "voided", "cancelled")

    # ---- groups of a confirmed order

    def another_group(self, order):
        """One of its two units was not on the shelf and comes from another place."""
        self.walk.one(order.confirm_pick(1, line1=1), order.search([(1, 0, 1, 1)], "sourced", 1))

    def test_a_group_that_was_sourced_later_is_paid_and_goes_to_work_alone(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        self.another_group(order)
        walk.prove()
        walk.one(order.authorize(2, "reauthorized"))
        self.sees(order, "confirmed", "authorized", "allocated")
        self.assertEqual((walk.work(order, 1), walk.work(order, 2)), (["fulfillment.pack"], ["fulfillment.pick"]))
        self.assertEqual(walk.query("SELECT group_no, state FROM reservation WHERE order_id = "
                                    f"'{order.id}' ORDER BY 1"), [["1", "committed"], ["2", "committed"]])
        walk.one(order.send(1), order.ship(2))
        self.sees(order, "confirmed", "captured", "shipped")
        self.assertEqual(walk.query(f"SELECT authorized_minor, captured_minor FROM payment WHERE order_id = '{order.id}' "
                                    "ORDER BY group_no"), [["200", "100"], ["100", "100"]])

    def test_a_group_that_was_sourced_later_and_cannot_be_paid_is_held(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        self.another_group(order)
        walk.one(order.refuse(2, "held"))
        self.assertEqual((walk.held(order), walk.work(order, 2)), (["2"], []))
        walk.one(order.send(1), order.retrying(), order.authorize(2, "reauthorized"), order.ship(2))
        self.sees(order, "confirmed", "captured", "shipped")

    def test_a_group_made_since_the_caller_looked_is_given_its_money_back_too(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        cancelling = order.cancelling()
        self.another_group(order)
        walk.one(order.authorize(2, "reauthorized"), cancelling, order.void(1), order.void(2))
        self.sees(order, "cancelled", "voided", "cancelled")

    def worth_nothing(self, order):
        """Nothing of its second group was on the shelf."""
        self.walk.one(order.confirm_pick(2, line2=0, line3=0))

    def test_a_group_with_nothing_to_ship_gives_its_money_back_and_the_order_goes_on(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay())
        self.worth_nothing(order)
        walk.one(order.void(2))
        self.sees(order, "confirmed", "authorized", "backordered")
        self.assertEqual(walk.payment(order, 2)[:3], ["voided", "0", "f"])
        walk.one(order.ship(1))
        self.assertEqual(walk.look(order)[:2], ["confirmed", "captured"])

    def test_a_payment_of_nothing_ends_although_nothing_is_held(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay(), order.lapse_by_hand(2), order.refuse(2, "held"))
        self.worth_nothing(order)
        order.attempts[2] = None
        walk.one(order.void(2))
        self.assertEqual((walk.payment(order, 2)[0], walk.held(order)), ("voided", []))
        self.assertEqual(walk.query("SELECT count(*) FROM payment_transaction WHERE kind = 'void'"), [["1"]])

    def test_a_parcel_labelled_anew_after_its_money_was_taken_is_handed_over(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1), order.capture(1))

        def capture_again():
            walk.query("INSERT INTO job (id, tenant, order_id, group_no, kind) SELECT child_id(id), tenant, id, 1, "
                       f"'payment.capture' FROM orders WHERE id = '{order.id}'")
            head = yield from order.claim(1, "payment.capture")
            got = yield Unit("handover_due", {**head, "next_job": new_id()})
            self.seen = got[0]["kind"]
        walk.one(capture_again())
        self.assertIsNone(self.seen)  # one is under way
        walk.query("UPDATE job SET state = 'done', epoch = 1, done_at = now() WHERE kind = 'shipping.handover'")
        walk.one(capture_again())
        self.assertEqual(self.seen, "shipping.handover")
        walk.one(order.hand_over(1))
        self.sees(order, "confirmed", "captured", "shipped")

    def test_payments_that_wait_for_somebody_are_listed_page_by_page(self):
        walk = self.walk
        orders = [walk.order(wait_for_payment=True) for _ in range(5)]
        walk.together([order.refuse(1, "waiting") for order in orders])
        seen, after = [], "00000000-0000-0000-0000-000000000000"
        while True:
            rows = walk.store.read("payments_waiting", {"tenant": 1, "state": "declined", "after_order": after,
                                                        "after_group": 1, "most": 2})
            if not rows:
                break
            seen += [row["order_id"] for row in rows]
            after = rows[-1]["order_id"]
        self.assertEqual(seen, sorted(order.id for order in orders))
        self.assertEqual(rows, walk.store.read("payments_waiting", {"tenant": 2, "state": "declined", "after_order": after,
                                                                    "after_group": 0, "most": 2}))

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

        def picked_too_late():
            head = yield from order.claim(1, "fulfillment.pick")
            yield order.cancelling()
            yield Unit("fulfillment_picked", {**head, "next_job": new_id()}, (), "moot")
        walk.one(order.pay(), picked_too_late(), order.void(1), order.void(2))
        self.assertEqual(walk.fulfillment(order), ["cancelled", "cancelled"])
        self.sees(order, "cancelled", "voided", "cancelled")

    def test_cancelled_when_one_group_is_picked_packs_nothing(self):
        walk, order = self.walk, self.walk.order(2)

        def packed_too_late():
            head = yield from order.claim(2, "fulfillment.pack")
            yield order.cancelling()
            yield Unit("fulfillment_packed", {**head, "shipment_id": new_id(), "next_job": new_id(),
                                              "sscc_prefix": SSCC_PREFIX}, (), "moot")
        walk.one(order.pay(), order.pick(2), packed_too_late(), order.void(2), order.void(1))
        self.assertEqual(walk.fulfillment(order), ["cancelled", "cancelled"])
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

    def test_offers_and_the_one_bought_are_kept(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1))
        read = {"tenant": 1, "shipment_id": order.shipments[1]}
        rates = walk.store.read("shipment_rates", read)
        self.assertEqual([(r["service"], r["rate_minor"], r["delivery_days"], r["chosen"]) for r in rates],
                         [("parcel", "500", "2", "t"), ("express", "900", None, "f")])
        label = walk.store.read("shipment_labels", read)
        self.assertEqual([(r["tracking_code"], r["rate_minor"], r["voided_at"]) for r in label],
                         [("TR" + order.remotes[1], "420", None)])
        view = walk.store.read("shipment_view", read)[0]
        self.assertEqual((view["order_id"], view["state"], view["location_code"], view["currency"]),
                         (order.id, "labelled", "place-0", "EUR"))
        for kind in ("shipment_view", "shipment_rates", "shipment_labels", "shipment_scans"):
            self.assertEqual(walk.store.read(kind, {**read, "tenant": 2}), [])

    # ---- holds

    def test_a_service_nobody_offers_holds_the_group_until_it_is_bought(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.hold_label(1))
        self.assertEqual(walk.holds(order), [["1", "shipping", "nobody offers it"]])
        self.assertEqual(walk.query("SELECT state, attempts, last_error, run_at > now() + interval '10 min' FROM job "
                                    "WHERE kind = 'shipping.label'"), [["ready", "0", "nobody offers it", "t"]])
        walk.time_passes()
        walk.one(order.hold_label(1, "still nobody"))
        self.assertEqual(walk.holds(order), [["1", "shipping", "still nobody"]])
        self.assertEqual(walk.events(order).count("shipping_held"), 1)
        walk.time_passes()
        walk.one(order.label(1))
        self.assertEqual(walk.holds(order), [])

    # ---- void

    def test_a_label_given_back_is_followed_by_another_and_paid_for_once(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1), order.voiding(1), order.give_back(1))
        self.assertEqual(walk.query("SELECT state, remote_id, tracking_code, rate_minor FROM shipment"),
                         [["planned", None, None, None]])
        self.assertEqual(walk.query("SELECT count(*) FROM shipment_rate"), [["0"]])
        walk.one(order.label(1))
        self.assertEqual(walk.work(order), ["payment.capture"])
        walk.one(order.capture(1), order.voiding(1), order.hand_over(1, "waiting"), order.give_back(1))
        walk.time_passes()
        walk.one(order.hand_over(1, "waiting"), order.label(1))
        walk.time_passes()
        walk.one(order.hand_over(1), order.track(1, "delivered", "completed"))
        self.assertEqual(walk.query("SELECT count(*), count(voided_at) FROM shipment_label"), [["3", "2"]])
        self.assertEqual(walk.query("SELECT count(*) FROM payment_transaction WHERE kind = 'capture'"), [["1"]])
        self.assertEqual([e for e in walk.events(order) if e.startswith("label")],
                         ["label_bought"] + ["label_voiding", "label_voided", "label_bought"] * 2)

    def test_a_label_the_carrier_keeps_stays(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1), order.voiding(1), order.give_back(1, "SEEN"))
        self.assertEqual(walk.events(order)[-1], "label_void_refused")
        self.assertEqual(walk.query("SELECT state, tracking_code FROM shipment"), [["labelled", "TR" + order.remotes[1]]])
        walk.one(order.capture(1), order.hand_over(1))

    def test_only_a_label_nobody_has_seen_is_given_back(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.voiding(1, "not_voidable"), order.label(1))
        walk.one(order.report(1, "pre_transit"), order.voiding(1), order.voiding(1, "not_voidable"),
                 order.give_back(1, "SEEN"), order.report(1, "in_transit"), order.voiding(1, "not_voidable"))
        walk.one(order.capture(1), order.hand_over(1), order.voiding(1, "not_voidable"))

    def test_a_void_asked_again_is_the_same_void(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.label(1), order.voiding(1, key="once"),
                 order.voiding(1, "seen", key="once"), order.give_back(1), order.label(1), order.voiding(1, "seen", key="once"))
        self.assertEqual(walk.parcel(order)[0], "labelled")

    # ---- hand-over

    def manual(self):
        self.walk.query("UPDATE location SET fulfillment = 'manual'")

    def captured(self, groups=1):
        """By hand only from here on: what picks and packs is another test's."""
        order = self.walk.order(groups)
        self.walk.one(order.pay())
        for group in order.all_groups:
            self.walk.one(order.pick(group), order.pack(group), order.label(group))
        self.manual()
        for group in order.all_groups:
            self.walk.one(order.capture(group))
        return order

    def test_at_a_manual_place_a_parcel_leaves_when_somebody_says_so(self):
        walk, order = self.walk, self.captured(2)
        waiting = "SELECT count(*) FROM job WHERE kind = 'shipping.handover' AND state = 'parked'"
        self.assertEqual(walk.query(waiting), [["2"]])
        walk.one(order.confirming([1], key="one"), order.hand_over(1))
        self.assertEqual(walk.query(waiting), [["1"]])
        walk.one(order.confirming([1, 2], "seen", key="one"), order.confirming([2, 1]), order.hand_over(2))
        self.assertEqual(walk.look(order)[2], "shipped")

    def test_what_cannot_leave_keeps_all_others_here(self):
        walk, order, paid = self.walk, self.walk.order(), self.captured()
        walk.one(order.pay(), *map(lambda step: self.unpark(order, step), (order.pick, order.pack)))
        order.shipments[2], order.shipments[3] = paid.shipments[1], new_id()
        walk.one(order.confirming([2, 1], "no_label"), order.confirming([2, 3, 1], "not_found"))
        walk.one(order.label(1), order.confirming([2, 1], "not_paid"))
        self.assertEqual(walk.query("SELECT state FROM job WHERE kind = 'shipping.handover'"), [["parked"]])
        walk.one(order.confirming([2], "not_found", tenant=2), order.confirming([2]))

    def unpark(self, order, step):
        """At a manual place the work waits for a report; here it is done without one."""
        self.walk.query("UPDATE job SET state = 'ready' WHERE state = 'parked' AND kind LIKE 'fulfillment.%'")
        yield from step(1)

    def test_a_scan_of_the_carrier_is_a_hand_over(self):
        walk, order = self.walk, self.captured()
        walk.one(order.report(1, "pre_transit"))
        self.assertEqual(walk.query("SELECT state FROM job WHERE kind = 'shipping.handover'"), [["parked"]])
        walk.one(order.report(1, "in_transit"), order.hand_over(1))
        self.assertEqual(walk.parcel(order), ["handed_over", "in_transit", "1", None])

    # ---- scans

    def test_reports_and_the_carrier_tell_of_one_parcel(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1),
                 order.report(1, "in_transit"), order.track(1, "in_transit", "waiting"),
                 order.report(1, "out_for_delivery", key="here"), order.report(1, "out_for_delivery", "seen", key="here"),
                 order.track(1, "out_for_delivery", "waiting", status="in_transit", at="2026-01-05 00:00:00+00"),
                 order.report(1, "delivered"))
        self.sees(order, "completed", "captured", "delivered")
        self.assertEqual(walk.events(order)[-5:], ["shipped", "tracking", "tracking", "delivered", "completed"])
        self.assertEqual(walk.query("SELECT status, source FROM shipment_scan ORDER BY at, status"),
                         [["delivered", "report"], ["in_transit", "report"], ["out_for_delivery", "report"],
                          ["in_transit", "carrier"]])

    def test_what_was_decided_from_other_scans_is_decided_again(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1), order.report(1, "in_transit"), order.report(1, "delivered", "stale", known=0))
        walk.one(order.report(1, "out_for_delivery", "full", most=1))
        head = order.head()

        def overtaken():
            nonlocal head
            walk.time_passes()
            head = yield from order.claim(1, "shipping.track")
            yield Unit("tracking_recorded", {**head, **order.news(1, "pre_transit", known=0), "delay_ms": 60000}, [], "stale")
            yield Unit("tracking_recorded", {**head, **order.news(1, "in_transit"), "delay_ms": 60000}, [], "waiting")
        walk.one(overtaken())
        self.assertEqual(walk.parcel(order), ["handed_over", "in_transit", "1", None])

    def test_a_report_needs_a_label(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.pick(1), order.pack(1), order.report(1, "in_transit", "no_label"), order.label(1),
                 order.voiding(1), order.report(1, "in_transit", "no_label"))
        self.assertEqual(walk.query("SELECT count(*) FROM shipment_scan"), [["0"]])

    def test_what_is_wrong_is_told_once_and_passes(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1), order.track(1, "in_transit", "waiting", exception="held"),
                 order.track(1, "in_transit", "waiting", exception="held", status="on_hold"))
        self.assertEqual(walk.parcel(order), ["handed_over", "in_transit", "1", "held"])
        walk.one(order.track(1, "in_transit", "waiting", at="2026-01-03 00:00:00+00"))
        self.assertEqual(walk.parcel(order), ["handed_over", "in_transit", "1", None])
        walk.one(order.track(1, "in_transit", "waiting", exception="damaged", status="failure"))
        self.assertEqual(walk.events(order).count("tracking_exception"), 2)

    def test_a_lost_parcel_is_held_and_may_turn_up(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1), order.track(1, "in_transit", "waiting", exception="lost"))
        self.assertEqual(walk.parcel(order), ["lost", "in_transit", "1", "lost"])
        self.assertEqual(walk.holds(order), [["1", "shipping", "lost"]])
        walk.one(order.track(1, "in_transit", "waiting", at="2026-01-03 00:00:00+00"))
        self.assertEqual((walk.parcel(order)[0], walk.holds(order)), ("handed_over", []))
        walk.one(order.report(1, "in_transit", exception="lost", at="2026-01-04 00:00:00+00"),
                 order.track(1, "delivered", "completed"))
        self.assertEqual(walk.holds(order), [])

    def test_a_parcel_that_comes_back_is_held_and_the_order_does_not_end(self):
        walk, order = self.walk, self.walk.order(2)
        walk.one(order.pay(), order.ship(1), order.ship(2), order.track(1, "out_for_delivery", "waiting"),
                 order.track(1, "return_to_sender", "waiting", leg=2, exception="refused"),
                 order.track(1, "in_transit", "waiting", leg=2))
        self.assertEqual(walk.parcel(order), ["handed_over", "in_transit", "2", None])
        walk.one(order.track(1, "delivered", "returned", leg=2))
        self.assertEqual(walk.parcel(order), ["returned", "delivered", "2", None])
        self.assertEqual(walk.holds(order), [["1", "returned", "returned_to_sender"]])
        self.assertEqual(walk.events(order)[-5:],
                         ["tracking", "returned_to_sender", "tracking_exception", "tracking", "returned"])
        walk.one(order.track(2, "delivered", "delivered"))
        self.sees(order, "confirmed", "captured", "partially_delivered")
        self.assertEqual(walk.query(f"SELECT sum(returned), sum(delivered), sum(shipped) FROM order_line "
                                    f"WHERE order_id = '{order.id}'"), [["3", "3", "0"]])

    def test_back_in_one_reading(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1))
        walk.time_passes()

        def read():
            head = yield from order.claim(1, "shipping.track")
            scans = [{"at": f"2026-01-0{day} 00:00:00+00", "status": status, "detail": "", "message": "", "city": ""}
                     for day, status in ((3, "return_to_sender"), (4, "delivered"))]
            yield Unit("tracking_recorded", {**head, **order.news(1, "delivered", leg=2), "delay_ms": 60000}, scans, "returned")
        walk.one(read())
        self.assertEqual(walk.events(order)[-3:], ["shipped", "returned_to_sender", "returned"])

    def test_delivered_and_told_later_that_it_went_back(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1), order.track(1, "delivered", "completed", at="2026-01-03 00:00:00+00"),
                 order.report(1, "return_to_sender", leg=2, at="2026-01-04 00:00:00+00"))
        self.assertEqual(walk.parcel(order), ["delivered", "return_to_sender", "2", None])
        walk.one(order.report(1, "delivered", leg=2, at="2026-01-05 00:00:00+00"))
        self.assertEqual(walk.parcel(order), ["returned", "delivered", "2", None])
        self.sees(order, "completed", "captured", "delivered")
        self.assertEqual(walk.holds(order), [["1", "returned", "returned_to_sender"]])

    def test_a_job_behind_the_news_just_ends(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay(), order.ship(1))
        walk.time_passes()
        heads = []

        def claimed():
            heads.append((yield from order.claim(1, "shipping.track")))
        walk.one(claimed(), order.report(1, "delivered"))
        walk.one(Unit("tracking_recorded", {**heads[0], **order.news(1, "delivered"), "delay_ms": 60000}, [], "delivered"))
        self.assertEqual(walk.events(order).count("delivered"), 1)
        self.assertEqual(walk.query("SELECT state FROM job WHERE kind = 'shipping.track'"), [["done"]])


def setUpModule():
    global STAGE
    STAGE = Stage(SQLGEN)


def tearDownModule():
    STAGE.stop()


if __name__ == "__main__":
    SQLGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
