#!/usr/bin/python3
"""Jobs are claimed, extended, settled, retried, buried and swept by the statements the store sends.

usage: sql_jobs.py SQLGEN [unittest arguments]
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqlwalk import WORKER, Stage, Unit, Walk, new_id  # noqa: E402


class Jobs(unittest.TestCase):
    def setUp(self):
        self.walk = Walk(STAGE)
        self.walk.query(f"UPDATE job SET state = 'parked' WHERE order_id = '{self.walk.bystander.id}'")
        self.order = self.walk.order(2)
        self.jobs = sorted(row[0] for row in self.walk.query("SELECT id FROM job WHERE state = 'ready'"))
        self.addCleanup(self.walk.close)

    def claim(self, job):
        return self.walk.store.ask("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60})

    def column(self, name, job):
        return self.walk.session.one(f"SELECT {name} FROM job WHERE id = '{job}'")

    def test_claim_says_whose_job_it_is_and_is_given_once(self):
        got = self.claim(self.jobs[0])[0]
        self.assertEqual((got["tenant"], got["order_id"], got["kind"], got["epoch"], got["attempts"], got["order_state"],
                          got["groups"]), ("1", self.order.id, "payment.authorize", "1", "1", "pending", "2"))
        self.walk.must_change_nothing("job_claim", {"job_id": self.jobs[0], "worker": new_id(), "lease_s": 60}, [], "running")

    def test_claim_before_its_time_is_refused(self):
        self.walk.query("UPDATE job SET run_at = now() + interval '1 hour'")
        self.walk.must_change_nothing("job_claim", {"job_id": self.jobs[0], "worker": WORKER, "lease_s": 60}, [], "too early")

    def test_a_lost_lease_makes_the_old_claim_worthless(self):
        self.claim(self.jobs[0])
        self.walk.query("UPDATE job SET lease_until = now() - interval '1 s' WHERE state = 'running'")
        orphans = self.walk.store.read("jobs_orphaned", {"most": 5})
        self.assertEqual([row["job_id"] for row in orphans], [self.jobs[0]])
        self.assertEqual(self.claim(self.jobs[0])[0]["epoch"], "2")
        for name, more in (("job_settle", {}), ("job_extend", {"lease_s": 9}),
                           ("job_retry", {"delay_ms": 0, "error": "e", "refund": "f"}),
                           ("job_bury", {"error": "e", "tenant": 1, "order_id": self.order.id})):
            self.walk.must_change_nothing(name, {"job_id": self.jobs[0], "epoch": 1, **more}, [], "the first claim")

    def test_extend_moves_the_lease(self):
        self.claim(self.jobs[0])
        self.walk.store.ask("job_extend", {"job_id": self.jobs[0], "epoch": 1, "lease_s": 7200})
        self.assertEqual(self.column("lease_until > now() + interval '1 hour'", self.jobs[0]), "t")

    def test_settle_ends_the_job(self):
        self.claim(self.jobs[0])
        settle = ("job_settle", {"job_id": self.jobs[0], "epoch": 1})
        self.assertEqual(self.walk.store.ask(*settle)[0]["kind"], "payment.authorize")
        self.walk.must_change_nothing(*settle, [], "asked twice")
        self.assertEqual(self.column("state", self.jobs[0]), "done")

    def test_retry_counts_the_attempt_and_keeps_the_error(self):
        self.claim(self.jobs[0])
        self.walk.ask(Unit("job_retry", {"job_id": self.jobs[0], "epoch": 1, "delay_ms": 60000, "error": "503",
                                         "refund": "f"}))
        self.assertEqual(self.walk.query("SELECT state, attempts, last_error, run_at > now() FROM job WHERE id = "
                                         f"'{self.jobs[0]}'"), [["ready", "1", "503", "t"]])

    def test_retry_with_refund_leaves_the_job_as_it_was(self):
        self.claim(self.jobs[0])
        self.walk.ask(Unit("job_retry", {"job_id": self.jobs[0], "epoch": 1, "delay_ms": 0, "error": "drain",
                                         "refund": "t"}))
        self.assertEqual(self.walk.query(f"SELECT state, attempts, last_error FROM job WHERE id = '{self.jobs[0]}'"),
                         [["ready", "0", None]])

    def test_bury_keeps_the_job_and_tells_the_order(self):
        self.claim(self.jobs[0])
        self.walk.ask(Unit("job_bury", self.order.head(job_id=self.jobs[0], epoch=1, error="gave up")))
        self.assertEqual(self.column("state", self.jobs[0]), "dead")
        self.assertEqual(self.walk.query("SELECT kind, detail FROM order_event WHERE order_id = "
                                         f"'{self.order.id}' AND seq = 2"),
                         [["job_dead", "payment.authorize: gave up"]])

    def test_claim_due_takes_what_its_role_may_and_no_more_than_asked(self):
        others = self.walk.order(2)

        def take(role, most):
            return self.walk.store.ask("job_claim_due", {"role": role, "worker": WORKER, "lease_s": 60, "most": most})
        self.assertEqual(take("shipping", 9), [])
        self.assertEqual(len(take("payment", 3)), 3)
        self.assertEqual(len(take("payment", 9)), 1)
        self.assertEqual(take("payment", 9), [])
        self.walk.query(f"UPDATE job SET lease_until = now() - interval '1 s' WHERE order_id = '{others.id}'")
        self.assertEqual({row["epoch"] for row in take("payment", 9)}, {"2"})

    def test_claim_due_of_two_workers_in_one_batch_and_beside_each_other_never_doubles(self):
        for _ in range(10):
            self.walk.order(2)
        ask = ("job_claim_due", {"role": "payment", "worker": WORKER, "lease_s": 60, "most": 8}, [])
        other = STAGE.connect()
        self.addCleanup(other.session.close)
        mine = self.walk.store.begin([ask, ask])
        theirs = other.run([ask])
        self.walk.query("COMMIT")
        taken = [row["job_id"] for rows in mine + theirs for row in rows]
        self.assertEqual(len(taken), len(set(taken)))
        self.assertEqual(len(theirs[0]), 8)

    def test_waiting_jobs_come_page_by_page(self):
        self.walk.order(2)
        self.walk.query("UPDATE job SET run_at = now() - interval '1 hour'")
        seen, head = [], {"older_ms": 1000, "after_run": None, "after_id": None, "most": 3}
        while True:
            page = self.walk.store.read("jobs_waiting", head)
            if not page:
                break
            seen += [row["job_id"] for row in page]
            head = {**head, "after_run": page[-1]["run_at"], "after_id": page[-1]["job_id"]}
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(len(seen), 4)
        self.assertEqual(self.walk.store.read("jobs_waiting", {**head, "older_ms": 7200000}), [])

    def test_a_generation_is_raised_once(self):
        before = {row["name"]: row["value"] for row in self.walk.store.read("generations", {"dummy": 0})}
        self.assertEqual((len(before), before["q07"]), (65, "1"))
        self.walk.ask(Unit("generation_raise", {"name": "q07", "expected": 1}))
        self.assertEqual(self.walk.store.ask("generation_raise", {"name": "q07", "expected": 1}), [])
        self.walk.ask(Unit("generation_raise", {"name": "q07", "expected": 2}))


def setUpModule():
    global STAGE
    STAGE = Stage(SQLGEN)


def tearDownModule():
    STAGE.stop()


if __name__ == "__main__":
    SQLGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
