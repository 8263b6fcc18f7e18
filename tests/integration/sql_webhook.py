#!/usr/bin/python3
"""Providers' events reach the inbox once, and the job that waits for them, by the statements the store sends.

usage: sql_webhook.py SQLGEN [unittest arguments]
"""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqlwalk import SCAN_AT, WORKER, Stage, Unit, Walk, new_id  # noqa: E402

HOUR_MS = 3600000


class Webhook(unittest.TestCase):
    def setUp(self):
        self.walk = Walk(STAGE)
        self.addCleanup(self.walk.close)
        self.events = 0

    # ---- an event as orderd takes it

    def find(self, provider, object_id):
        rows = self.walk.store.read("webhook_find", {"provider": provider, "object_id": object_id})
        return rows[0] if rows else {"tenant": "1", "order_id": None, "job_id": None}

    def head(self, provider, object_id, kind, event_id=None):
        self.events += 1
        found = self.find(provider, object_id)
        return {"tenant": int(found["tenant"]), "order_id": found["order_id"], "job_id": found["job_id"], "provider": provider,
                "event_id": event_id or f"evt_{self.events}", "kind": kind, "object_id": object_id}

    def hear(self, outcome, provider, object_id, kind, event_id=None):
        """Asked twice, and by strangers; nothing changes but the first time."""
        head, walk = self.head(provider, object_id, kind, event_id), self.walk
        if outcome not in ("seen", "unknown"):
            for wrong in ({"tenant": 3 - head["tenant"]}, {"order_id": walk.bystander.id}, {"order_id": None}, {"job_id": new_id()}):
                before = walk.dump()
                self.assertEqual(walk.store.ask("webhook_received", {**head, **wrong})[0]["outcome"], "moved", wrong)
                self.assertEqual(walk.dump(), before)
        row = walk.ask(Unit("webhook_received", head, (), outcome))[0]
        self.assertEqual(walk.store.ask("webhook_received", head)[0]["outcome"], "moved" if outcome == "queued" else "seen")
        self.assertEqual(bool(row["job_id"]), outcome in ("woken", "queued"))
        return row

    def scanned(self, outcome, code="TR9", event_id=None):
        return self.hear(outcome, "carrier", code, "tracker.updated", event_id)

    def paid(self, outcome, intent="pi_9", kind="payment_intent.amount_capturable_updated"):
        return self.hear(outcome, "gateway", intent, kind)

    # ---- orders that wait for news

    def job(self, order, kind, columns):
        return self.walk.query(f"SELECT {columns} FROM job WHERE order_id = '{order.id}' AND kind = '{kind}' AND state <> 'done'")[0]

    def travelling(self):
        order = self.walk.order()
        self.walk.one(order.pay(), order.ship(1))
        self.walk.query(f"UPDATE shipment SET tracking_code = 'TR9' WHERE order_id = '{order.id}'")
        self.walk.query(f"UPDATE shipment_label SET tracking_code = 'TR9' WHERE shipment_id = '{order.shipments[1]}'")
        self.assertEqual(self.job(order, "shipping.track", "state, run_at > now()"), ["ready", "t"])
        return order

    def name_intent(self, order, name="pi_9"):
        self.walk.query(f"UPDATE payment_attempt SET gateway_id = '{name}' WHERE order_id = '{order.id}'")

    def doubtful(self):
        order = self.walk.order()

        def way():
            head = yield from order.begin(1)
            yield Unit("payment_unknown", {**head, "delay_ms": HOUR_MS, "error": "timeout"})
        self.walk.one(way())
        self.name_intent(order)
        self.assertEqual(self.job(order, "payment.authorize", "state, run_at > now()"), ["ready", "t"])
        return order

    def confirmed(self):
        order = self.walk.order()
        self.walk.one(order.pay())
        self.name_intent(order)
        return order

    # ---- stories

    def test_a_scan_makes_the_look_at_its_parcel_due(self):
        order = self.travelling()
        row = self.scanned("woken")
        self.assertEqual((row["job_kind"], row["priority"]), ("shipping.track", "1"))
        self.assertEqual(self.job(order, "shipping.track", "id, state, run_at <= now()"), [row["job_id"], "ready", "t"])
        self.assertEqual(self.walk.query("SELECT provider, event_id, kind, object_id FROM webhook_event"),
                         [["carrier", "evt_1", "tracker.updated", "TR9"]])

    def test_a_job_that_was_due_is_not_put_off(self):
        order = self.travelling()
        self.walk.query("UPDATE job SET run_at = now() - interval '1 hour' WHERE state = 'ready'")
        self.scanned("woken")
        self.assertEqual(self.job(order, "shipping.track", "run_at < now() - interval '59 min'"), ["t"])

    def test_the_same_event_again_is_nothing_new(self):
        order = self.travelling()
        self.scanned("woken", event_id="evt_same")
        self.walk.query("UPDATE job SET run_at = now() + interval '1 hour' WHERE kind = 'shipping.track'")
        self.scanned("seen", event_id="evt_same")
        self.assertEqual(self.job(order, "shipping.track", "run_at > now()"), ["t"])
        self.assertEqual(self.walk.session.one("SELECT count(*) FROM webhook_event"), "1")

    def test_two_providers_may_use_the_same_event_id(self):
        self.travelling()
        self.scanned("woken", event_id="evt_same")
        self.hear("unknown", "gateway", "pi_none", "charge.succeeded", "evt_same")
        self.assertEqual(self.walk.session.one("SELECT count(*) FROM webhook_event"), "2")

    def test_news_during_a_look_is_not_missed(self):
        walk, order = self.walk, self.travelling()
        walk.time_passes()

        def way():
            head = yield from order.claim(1, "shipping.track")
            self.scanned("told")
            self.assertEqual(self.job(order, "shipping.track", "state"), ["running"])
            scan = {"at": SCAN_AT, "status": "in_transit", "detail": "", "message": "", "city": ""}
            yield Unit("tracking_recorded", {**head, **order.news(1, "in_transit"), "delay_ms": HOUR_MS}, [scan], "waiting")
        walk.one(way())
        self.assertEqual(self.job(order, "shipping.track", "state, run_at <= now()"), ["ready", "t"])
        walk.one(order.track(1, "in_transit", "waiting"))  # the next claim was not nudged
        self.assertEqual(self.job(order, "shipping.track", "run_at > now()"), ["t"])

    def test_news_during_a_try_that_fails_is_not_missed(self):
        walk, order = self.walk, self.doubtful()
        for nudged in ("t", "f"):
            walk.time_passes()

            def way(news=nudged == "t"):
                head = yield from order.claim(1, "payment.authorize")
                if news:
                    self.paid("told")
                yield Unit("job_retry", {"job_id": head["job_id"], "epoch": head["epoch"], "delay_ms": HOUR_MS, "error": "busy",
                                         "refund": "f"})
            walk.one(way())
            self.assertEqual(self.job(order, "payment.authorize", "state, run_at <= now()"), ["ready", nudged])

    def test_news_during_a_payment_that_stays_unknown_is_not_missed(self):
        walk, order = self.walk, self.doubtful()
        walk.time_passes()

        def way():
            head = yield from order.begin(1, "resume")
            self.paid("told")
            yield Unit("payment_unknown", {**head, "delay_ms": HOUR_MS, "error": "timeout"})
        walk.one(way())
        self.assertEqual(self.job(order, "payment.authorize", "state, run_at <= now()"), ["ready", "t"])

    def test_no_statement_puts_a_job_off_over_news(self):
        """Whoever ends a claim without ending the job looks at nudged_epoch."""
        putting_off = [name for name, text in STAGE.statements.items()
                       for changes in re.findall(r"UPDATE job\b.*?\bSET (.*?)\bFROM\b", text, re.S)
                       if "lease_until = NULL" in changes and re.search("'ready'|'parked'", changes)]
        self.assertEqual({"job_retry", "payment_unknown", "tracking_recorded"} - set(putting_off), set())
        self.assertEqual([name for name in putting_off if "nudged_epoch" not in STAGE.statements[name]], [])

    def test_a_payment_in_doubt_is_asked_for_at_once(self):
        order = self.doubtful()
        self.assertEqual(self.paid("woken")["job_kind"], "payment.authorize")
        self.assertEqual(self.job(order, "payment.authorize", "run_at <= now()"), ["t"])

    def test_a_parked_job_is_ready_again(self):
        order = self.doubtful()
        self.walk.query(f"UPDATE job SET state = 'parked', run_at = 'infinity' WHERE order_id = '{order.id}'")
        self.paid("woken")
        self.assertEqual(self.job(order, "payment.authorize", "state, run_at <= now()"), ["ready", "t"])

    def test_a_dead_job_stays_dead(self):
        order = self.doubtful()
        self.walk.bury(f"order_id = '{order.id}'")
        self.paid("idle")
        self.assertEqual(self.job(order, "payment.authorize", "state"), ["dead"])

    def test_a_lost_authorization_is_renewed_once(self):
        for kind in ("payment_intent.canceled", "charge.expired"):
            walk = self.walk = Walk(STAGE)
            self.addCleanup(walk.close)
            order = self.confirmed()
            row = self.paid("queued", kind=kind)
            self.assertEqual(self.job(order, "payment.renew", "id, tenant, group_no, state"), [row["job_id"], "1", "1", "ready"])
            self.assertEqual(walk.session.one(  # its stream is the order's: the shard is bits 52 to 57
                f"SELECT substr('{row['job_id']}', 16, 2) = substr('{order.id}', 16, 2)"), "t")
            self.assertEqual(self.paid("woken", kind=kind)["job_id"], row["job_id"])
            self.assertEqual(walk.session.one("SELECT count(*) FROM job WHERE kind = 'payment.renew'"), "1")

    def test_other_news_of_an_authorization_is_none(self):
        self.confirmed()
        self.paid("idle", kind="charge.succeeded")

    def test_an_authorization_we_gave_back_is_not_renewed(self):
        walk, order = self.walk, self.confirmed()
        walk.one(order.cancelling())
        self.paid("idle", kind="payment_intent.canceled")
        walk.bury("kind = 'payment.void'")
        self.paid("idle", kind="charge.expired")  # nobody will void it, and nobody may take the money again
        walk.query("UPDATE job SET state = 'ready' WHERE kind = 'payment.void'; DELETE FROM order_hold WHERE reason = 'job_dead'")
        walk.one(order.void(1))
        self.paid("idle", kind="payment_intent.canceled")

    def test_an_authorization_that_is_being_captured_is_not_renewed(self):
        walk, order = self.walk, self.confirmed()
        walk.one(order.pick(1), order.pack(1), order.label(1))
        self.paid("idle", kind="charge.expired")

    def test_what_is_not_ours_is_kept_and_changes_nothing(self):
        self.travelling()
        for provider, name in (("carrier", "TR404"), ("gateway", "pi_404"), ("gateway", "TR9"), ("carrier", "")):
            self.hear("unknown", provider, name, "x")
        self.assertEqual(self.walk.query("SELECT DISTINCT tenant FROM webhook_event"), [["1"]])
        self.assertEqual(self.walk.session.one("SELECT count(*) FROM webhook_event"), "4")

    def test_the_object_says_whose_it_is(self):
        order = self.walk.order(tenant=2)
        self.walk.one(order.pay())
        self.name_intent(order)
        self.paid("queued", kind="charge.expired")
        self.assertEqual(self.walk.query("SELECT tenant FROM webhook_event"), [["2"]])

    def test_a_job_that_was_followed_by_another_is_found_again(self):
        walk, order = self.walk, self.confirmed()
        before = self.head("gateway", "pi_9", "charge.expired")
        walk.query(f"INSERT INTO job (id, tenant, order_id, group_no, kind) VALUES ('{new_id()}', 1, '{order.id}', 1, 'payment.renew')")
        walk.must_change_nothing("webhook_received", before, [], "another job by now", may_answer=True)
        self.paid("woken", kind="charge.expired")

    def test_many_events_in_one_batch_are_heard_as_if_alone(self):
        walk, heads = self.walk, []
        orders = [walk.order(tenant=1 + n % 2) for n in range(8)]
        walk.together([order.pay() for order in orders])
        for n, order in enumerate(orders):
            self.name_intent(order, f"pi_{n}x")
            heads += [self.head("gateway", f"pi_{n}x", "charge.expired" if n % 2 else "charge.succeeded"),
                      self.head("carrier", f"TR{n}x", "tracker.updated")]
        rows = walk.store.run([("webhook_received", head) for head in heads])
        self.assertEqual([row[0]["outcome"] for row in rows], ["idle", "unknown", "queued", "unknown"] * 4)
        walk.prove()

    def test_old_events_are_forgotten_page_by_page(self):
        walk = self.walk
        for name in ("a", "b", "c", "d"):
            self.hear("unknown", "carrier", name, "x")
        walk.query("UPDATE webhook_event SET received_at = now() - interval '31 days' WHERE object_id < 'd'")
        forget = {"keep_s": 30 * 86400, "most": 2}
        self.assertEqual(walk.store.ask("webhooks_forget", forget)[0]["forgotten"], "2")
        self.assertEqual(walk.store.ask("webhooks_forget", forget)[0]["forgotten"], "1")
        walk.must_change_nothing("webhooks_forget", forget, [], "all is young")
        self.assertEqual(walk.query("SELECT object_id FROM webhook_event"), [["d"]])


def setUpModule():
    global STAGE
    STAGE = Stage(SQLGEN)


def tearDownModule():
    STAGE.stop()


if __name__ == "__main__":
    SQLGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
