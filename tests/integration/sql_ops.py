#!/usr/bin/python3
"""What operators do, by the statements the store sends: jobs listed, retried and given up, queues paused, stuck orders found.

usage: sql_ops.py SQLGEN [unittest arguments]
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqlwalk import WORKER, Stage, Unit, Walk, new_id  # noqa: E402

RETRY, CANCEL, PAUSE = 11, 12, 13
LIST = {"tenant": 1, "job_id": None, "order_id": None, "state": None, "kind": None, "role": None, "error": None,
        "made_from": None, "made_before": None, "later": False, "after_at": None, "after_id": None, "scan": 100, "most": 100}


class Ops(unittest.TestCase):
    def setUp(self):
        self.walk = Walk(STAGE)
        self.walk.query(f"UPDATE job SET state = 'parked' WHERE order_id = '{self.walk.bystander.id}'")
        self.addCleanup(self.walk.close)

    # ---- units

    def request(self, method, **more):
        return {"tenant": 1, "request_method": method, "request_key": self.walk.world.key(), "fingerprint": b"o" * 32,
                "action_id": new_id(), "actor": "operator", **more}

    def retry(self, *jobs, outcome="retried"):
        return Unit("jobs_retry", self.request(RETRY, subject="a test", more=False), [{"job_id": job} for job in jobs], outcome)

    def cancel(self, order, job, outcome="cancelled"):
        return Unit("job_cancel", order.head(**self.request(CANCEL, job_id=job, reason="enough")), (), outcome)

    def set_queue(self, role, paused, outcome="set"):
        return Unit("queue_set", self.request(PAUSE, role=role, paused=paused, reason="why"), (), outcome)

    # ---- looking

    def job(self, order, group=1, kind="payment.authorize"):
        return self.walk.session.one(f"SELECT id FROM job WHERE order_id = '{order.id}' AND group_no = {group} AND kind = '{kind}'")

    def state(self, job):
        return self.walk.query(f"SELECT state, attempts, deaths FROM job WHERE id = '{job}'")[0]

    def claim(self, job):
        return self.walk.store.ask("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60})

    def bury(self, order, group=1):
        job = self.job(order, group)
        epoch = self.claim(job)[0]["epoch"]
        self.walk.ask(Unit("job_bury", order.head(job_id=job, epoch=int(epoch), error="worn out")))
        return job

    def list(self, **more):
        return self.walk.store.read("job_list", {**LIST, **more})

    def stuck(self, scan=100, most=100, unmoved_s=None, tenant=1):
        """[(order, why, subject)] of all questions it takes."""
        found, after = [], None
        while True:
            rows = self.walk.store.read("orders_stuck", {"tenant": tenant, "after_id": after, "unmoved_s": unmoved_s,
                                                         "scan": scan, "most": most})
            found += [(row["order_id"], row["why"], row["subject"]) for row in rows if row["why"] != "more"]
            ends = [row["order_id"] for row in rows if row["why"] == "more"]
            if not ends:
                return found
            self.assertTrue(after is None or ends[0] > after)
            after = ends[0]

    # ---- dead jobs

    def test_a_dead_job_holds_its_order_until_it_is_retried(self):
        walk, order = self.walk, self.walk.order(2)
        dead = [self.bury(order, group) for group in (1, 2)]
        self.assertEqual(walk.holds(order), [[g, "job_dead", "payment.authorize: worn out"] for g in ("1", "2")])
        walk.query(f"UPDATE job SET deaths = 5 WHERE id = '{dead[0]}'")
        walk.ask(self.retry(dead[0]))
        self.assertEqual((self.state(dead[0]), self.state(dead[1])[0]), (["ready", "0", "0"], "dead"))
        self.assertEqual(walk.holds(order), [["2", "job_dead", "payment.authorize: worn out"]])
        self.assertEqual(walk.events(order)[-1], "job_retried")
        self.assertEqual(walk.query("SELECT action, jobs FROM operator_action"), [["retry_jobs", "1"]])

    def test_jobs_of_one_order_come_back_together(self):
        walk, order, other = self.walk, self.walk.order(2), self.walk.order()
        dead = [self.bury(order, 1), self.bury(order, 2), self.bury(other)]
        rows = walk.ask(self.retry(*dead, new_id()))
        self.assertEqual({row["job_id"] for row in rows}, set(dead))
        self.assertEqual(walk.holds(order) + walk.holds(other), [])
        self.assertEqual(walk.events(order)[-2:], ["job_retried", "job_retried"])

    def test_two_dead_jobs_of_a_group_hold_it_until_both_are_retried(self):
        walk, order = self.walk, self.walk.order()
        first = self.bury(order)
        second = new_id()
        walk.query(f"INSERT INTO job (id, tenant, order_id, group_no, kind, state) VALUES ('{second}', 1, '{order.id}', 1, "
                   "'notification.mail', 'dead')")
        walk.store.ask("jobs_retry", *self.of(self.retry(first)))
        self.assertEqual(len(walk.holds(order)), 1)
        walk.store.ask("jobs_retry", *self.of(self.retry(second)))
        self.assertEqual(walk.holds(order), [])

    @staticmethod
    def of(unit):
        return unit.head, unit.lines

    def test_two_operators_in_one_batch_retry_a_job_once(self):
        walk, order = self.walk, self.walk.order()
        dead = self.bury(order)
        units = [self.retry(dead), self.retry(dead)]
        answers = walk.store.run([(u.name, u.head, u.lines) for u in units])
        self.assertEqual(sorted(rows[0]["outcome"] for rows in answers), ["none", "retried"])
        self.assertEqual(walk.events(order).count("job_retried"), 1)
        walk.prove()

    def test_an_order_that_is_being_changed_is_left_for_later(self):
        walk, order, free = self.walk, self.walk.order(), self.walk.order()
        dead, other = self.bury(order), self.bury(free)
        busy = STAGE.connect()
        self.addCleanup(busy.session.close)
        busy.session.query(f"BEGIN; SELECT FROM orders WHERE id = '{order.id}' FOR NO KEY UPDATE")
        rows = walk.store.ask("jobs_retry", *self.of(self.retry(dead, other)))
        self.assertEqual([row["job_id"] for row in rows], [other])
        busy.session.query("ROLLBACK")
        walk.ask(self.retry(dead))

    def test_what_is_not_dead_nor_put_off_is_left_alone(self):
        walk, order = self.walk, self.walk.order()
        job = self.job(order)
        walk.must_change_nothing("jobs_retry", *self.of(self.retry(job)), "due already", may_answer=True)
        walk.query(f"UPDATE job SET run_at = now() + interval '1 hour', attempts = 3 WHERE id = '{job}'")
        walk.ask(self.retry(job))
        self.assertEqual(walk.query(f"SELECT run_at <= now(), attempts FROM job WHERE id = '{job}'"), [["t", "3"]])
        self.claim(job)
        walk.must_change_nothing("jobs_retry", *self.of(self.retry(job)), "running", may_answer=True)
        foreign = self.walk.order(tenant=2)
        walk.query(f"UPDATE job SET run_at = now() + interval '1 hour' WHERE order_id = '{foreign.id}'")
        walk.must_change_nothing("jobs_retry", *self.of(self.retry(self.job(foreign))), "foreign", may_answer=True)

    # ---- giving up

    def test_a_job_given_up_is_dead_and_can_come_back(self):
        walk, order = self.walk, self.walk.order()
        job = self.job(order)
        walk.ask(self.cancel(order, job))
        self.assertEqual(walk.query(f"SELECT state, last_error, epoch FROM job WHERE id = '{job}'"),
                         [["dead", "cancelled by operator: enough", "1"]])
        self.assertEqual(walk.holds(order), [["1", "job_dead", "payment.authorize: enough"]])
        self.assertEqual(walk.events(order)[-1], "job_cancelled")
        walk.must_change_nothing(*self.named(self.cancel(order, job, "over")), "dead already", may_answer=True)
        walk.ask(self.retry(job))
        walk.one(order.whole_life())

    @staticmethod
    def named(unit):
        return unit.name, unit.head, unit.lines

    def outcome(self, order, job):
        return self.walk.store.ask(*self.named(self.cancel(order, job)))[0]["outcome"]

    def test_what_is_not_given_up(self):
        walk, order = self.walk, self.walk.order()
        job = self.job(order)
        head = None

        def begun():
            nonlocal head
            head = yield from order.begin(1)
        walk.one(begun())
        self.assertEqual(self.outcome(order, job), "running")
        walk.query("UPDATE job SET lease_until = now() - interval '1 s' WHERE state = 'running'")
        self.assertEqual(self.outcome(order, job), "doubt")
        walk.query("UPDATE job SET lease_until = now() + interval '1 h' WHERE state = 'running'")
        walk.one(order.authorized(head, "confirmed"))
        self.assertEqual((self.outcome(order, job), self.outcome(order, new_id())), ("over", "not_found"))
        walk.one(order.pick(1), order.pack(1), order.label(1))
        capture = self.job(order, kind="payment.capture")
        walk.query(f"UPDATE job SET attempts = 1 WHERE id = '{capture}'")
        self.assertEqual(self.outcome(order, capture), "doubt")
        walk.query(f"UPDATE job SET attempts = 0 WHERE id = '{capture}'")
        walk.ask(self.cancel(order, capture))
        walk.query(f"UPDATE job SET state = 'parked' WHERE id = '{capture}'")
        self.assertEqual(self.outcome(order, capture), "over")

    def test_a_mail_given_up_is_not_sent(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        mail = self.job(order, 0, "notification.mail")
        walk.ask(self.cancel(order, mail))
        self.assertEqual((walk.mails(order), walk.holds(order)), ([("confirmed", "suppressed")], []))

    def test_a_claim_that_came_late_changes_nothing(self):
        walk, order = self.walk, self.walk.order()
        job = self.job(order)
        epoch = int(self.claim(job)[0]["epoch"])
        walk.query("UPDATE job SET lease_until = now() - interval '1 s' WHERE state = 'running'")
        walk.ask(self.cancel(order, job))
        walk.must_change_nothing("job_settle", {"job_id": job, "epoch": epoch}, [], "given up meanwhile")

    def test_an_order_that_is_cancelled_lets_go_of_dead_picks(self):
        walk, order = self.walk, self.walk.order()
        walk.one(order.pay())
        pick = self.job(order, kind="fulfillment.pick")
        walk.ask(self.cancel(order, pick))
        walk.one(order.cancelling())
        self.assertEqual((self.state(pick)[0], walk.holds(order)), ("done", []))

    def test_an_order_that_is_cancelled_stays_held_for_another_dead_job(self):
        walk, order = self.walk, self.walk.order()
        job = self.bury(order)
        walk.one(order.cancelling())
        self.assertEqual(len(walk.holds(order)), 1)
        walk.ask(self.retry(job))
        self.assertEqual(walk.holds(order), [])

    # ---- pauses

    def test_a_paused_queue_gives_no_claim_with_or_without_redis(self):
        walk, order = self.walk, self.walk.order()
        job = self.job(order)
        due = {"role": "payment", "worker": WORKER, "lease_s": 60, "most": 9}
        walk.ask(self.set_queue("payment", True))
        walk.must_change_nothing("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60}, [], "paused")
        walk.must_change_nothing("job_claim_due", due, [], "paused")
        self.assertEqual([row["role"] for row in walk.store.read("queues_paused", {"dummy": 0})], ["payment"])
        walk.ask(self.set_queue("payment", False))
        self.assertEqual(len(walk.store.ask("job_claim_due", due)), 1)

    def test_what_ran_before_a_pause_goes_on(self):
        walk, order = self.walk, self.walk.order()
        heads = []

        def begun():
            heads.append((yield from order.begin(1)))
        walk.one(begun())
        walk.ask(self.set_queue("payment", True))
        walk.one(order.authorized(heads[0], "confirmed"))

    def test_a_pause_of_a_paused_queue_keeps_its_time(self):
        walk = self.walk
        walk.ask(self.set_queue("shipping", True))
        since = walk.session.one("SELECT changed_at FROM queue WHERE role = 'shipping'")
        walk.ask(self.set_queue("shipping", True))
        self.assertEqual(walk.session.one("SELECT changed_at FROM queue WHERE role = 'shipping'"), since)

    def test_queues_tell_what_is_in_them(self):
        walk, order, dead = self.walk, self.walk.order(2), self.walk.order()
        self.bury(dead)
        self.claim(self.job(order, 1))
        walk.query(f"UPDATE job SET run_at = now() + interval '1 hour' WHERE id = '{self.job(order, 2)}'")
        self.walk.order()
        names = ("ready", "later", "running", "dead", "at_least")
        rows = {row["role"]: [row[name] for name in names] for row in walk.store.read("queue_list", {"most": 100})}
        self.assertEqual(rows["payment"], ["1", "1", "1", "1", "f"])
        self.assertEqual(rows["shipping"], ["0", "0", "0", "0", "f"])
        self.assertEqual(walk.store.read("queue_list", {"most": 1})[0]["at_least"], "t")

    # ---- lists

    def test_jobs_come_page_by_page_whatever_the_filter_leaves(self):
        walk = self.walk
        orders = [walk.order() for _ in range(7)]
        walk.query("UPDATE job SET state = 'ready', run_at = created_at")
        for order in orders[::3]:
            walk.query(f"UPDATE job SET kind = 'payment.void' WHERE order_id = '{order.id}'")
        seen, at, after, rounds = [], None, None, 0
        while True:
            rows = self.list(state="ready", kind="payment.void", scan=2, after_at=at, after_id=after)
            seen += [row["order_id"] for row in rows if row["hit"] == "t"]
            if not rows or rows[-1]["full"] == "f":
                break
            at, after, rounds = rows[-1]["at"], rows[-1]["job_id"], rounds + 1
        self.assertEqual(sorted(seen), sorted(order.id for order in orders[::3]))
        self.assertGreater(rounds, 2)

    def test_only_so_many_hits_come_and_the_last_row_counts_them(self):
        for _ in range(5):
            self.walk.order()
        rows = self.list(state="ready", most=2)
        self.assertEqual(([row["hit"] for row in rows], rows[-1]["hits"]), (["t", "t", "t"], "5"))
        rows = self.list(state="ready", most=0)
        self.assertEqual((len(rows), rows[-1]["hits"], rows[-1]["full"]), (1, "5", "f"))

    def test_each_filter_leaves_what_it_says(self):
        walk, order, foreign = self.walk, self.walk.order(2), self.walk.order(tenant=2)
        job = self.bury(order)

        def hits(**more):
            return [row["job_id"] for row in self.list(**more) if row["hit"] == "t"]
        self.assertEqual(hits(state="dead"), [job])
        self.assertEqual(hits(state="dead", error="worn"), [job])
        self.assertEqual(hits(state="dead", error="orn"), [])
        self.assertEqual(hits(state="dead", role="payment", kind="payment.authorize"), [job])
        self.assertEqual(hits(state="dead", role="shipping"), [])
        self.assertEqual(hits(state="dead", made_from="2100-01-01 00:00:00+00"), [])
        self.assertEqual(hits(state="dead", made_before="2000-01-01 00:00:00+00"), [])
        self.assertEqual(hits(state="ready", later=True), [])
        self.assertEqual(len(hits(order_id=order.id)), 2)
        self.assertEqual(hits(order_id=order.id, state="dead"), [job])
        self.assertEqual(hits(order_id=foreign.id), [])
        self.assertEqual(hits(job_id=job), [job])
        self.assertEqual(hits(job_id=self.job(foreign)), [])
        self.claim(self.job(order, 2))
        self.assertEqual(hits(state="running"), [self.job(order, 2)])

    def test_stuck_orders_are_found_in_stretches_of_any_length(self):
        walk = self.walk
        fine, dead, held, idle, done = (walk.order() for _ in range(5))
        walk.one(fine.pay(), held.pay(), idle.pay(), done.whole_life())
        self.bury(dead)
        walk.query(f"INSERT INTO order_hold (tenant, order_id, group_no, reason, detail) VALUES (1, '{held.id}', 1, 'shipping', 'x')")
        walk.query(f"UPDATE job SET state = 'done', epoch = 1, done_at = now() WHERE order_id = '{idle.id}' "
                   "AND kind <> 'notification.mail'")
        expected = sorted([(dead.id, "dead_job", "payment.authorize"), (held.id, "held", "shipping"), (idle.id, "no_work", None)])
        for scan in (1, 2, 3, 100):
            self.assertEqual(self.stuck(scan), expected, scan)
        self.assertEqual(self.stuck(tenant=2), [])
        self.assertEqual(self.stuck(unmoved_s=3600), expected)
        walk.query(f"UPDATE orders SET updated_at = now() - interval '2 hours' WHERE id IN ('{fine.id}', '{done.id}')")
        for scan in (1, 2, 100):
            self.assertEqual(self.stuck(scan, unmoved_s=3600), sorted([*expected, (fine.id, "unmoved", None)]))

    def test_an_order_has_sixteen_reasons_at_most(self):
        order = self.walk.order()
        self.walk.query(f"INSERT INTO order_hold (tenant, order_id, group_no, reason, detail) SELECT 1, '{order.id}', n, 'shipping', 'x' "
                        "FROM generate_series(1, 20) n")
        self.assertEqual(len(self.stuck()), 16)

    # ---- money

    def test_an_attempt_from_yesterday_without_a_name_is_not_asked_for_again(self):
        walk, order = self.walk, self.walk.order()
        job = self.job(order)
        heads = []

        def begun():
            heads.append((yield from order.begin(1)))
        walk.one(begun())

        def forgotten():
            return walk.store.ask("payment_begin", {**heads[0], "attempt_id": new_id()})[0]["forgotten"]
        self.assertEqual(forgotten(), "f")
        walk.query("UPDATE payment_attempt SET created_at = now() - interval '1 day'")
        self.assertEqual(forgotten(), "t")
        walk.query("UPDATE payment_attempt SET gateway_id = 'pi_1'")
        self.assertEqual(forgotten(), "f")
        self.assertEqual(self.state(job)[0], "running")


def setUpModule():
    global STAGE
    STAGE = Stage(SQLGEN)


def tearDownModule():
    STAGE.stop()


if __name__ == "__main__":
    SQLGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
