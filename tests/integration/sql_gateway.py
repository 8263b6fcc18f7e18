#!/usr/bin/python3
"""The gateway's payments are kept page by page, whoever reads them, by the statements the store sends.

usage: sql_gateway.py SQLGEN [unittest arguments]
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import Server, Store, statements  # noqa: E402

WEEKS_S = 14 * 86400


def payment(number, **fields):
    return dict(dict(id=f"pi_{number}", attempt_id=None, amount_minor=100, held_minor=100, captured_minor=0, currency="EUR",
                     status="requires_capture", created_at="2026-01-01 12:00:00+00"), **fields)


class Gateway(unittest.TestCase):
    def setUp(self):
        Gateway.number = getattr(Gateway, "number", 0) + 1
        self.db = SERVER.session(SERVER.database(f"gateway_{self.number}"))
        self.addCleanup(self.db.close)
        self.store = Store(self.db, SQL)

    def walk(self):
        rows = self.store.ask("gateway_walk_on", dict(look_back_s=WEEKS_S))
        self.assertEqual(len(rows), 1)
        return rows[0]

    def page(self, walk, payments, next_after=None, whole=None):
        whole = next_after is None if whole is None else whole
        return self.store.ask("gateway_seen", dict(until=walk["until"], after=walk["after"], next_after=next_after, whole=whole),
                              payments)[0]["walked_until"]

    def kept(self, columns="id"):
        return self.db.query(f"SELECT {columns} FROM gateway_payment ORDER BY id")

    def walked(self):
        return self.db.query("SELECT walked_since, walked_until FROM gateway_walk")[0]

    def test_walk_goes_on_until_it_is_whole(self):
        first = self.walk()
        self.assertEqual(first["after"], "")
        self.assertEqual(self.db.one(f"SELECT '{first['until']}'::timestamptz - '{first['since']}'"), "14 days")
        self.assertEqual(self.walk(), first)
        self.assertIsNone(self.page(first, [payment(1), payment(2)], "pi_2"))
        second = self.walk()
        self.assertEqual(second, dict(first, after="pi_2"))
        self.assertEqual(self.page(second, [payment(3)]), first["until"])
        self.assertEqual(self.walked(), [first["since"], first["until"]])
        self.assertEqual(self.kept(), [["pi_1"], ["pi_2"], ["pi_3"]])
        self.assertEqual(self.walk()["after"], "")

    def test_two_readers_of_one_page_move_the_walk_once(self):
        walk = self.walk()
        self.page(walk, [payment(1), payment(2)], "pi_2")
        self.assertIsNone(self.page(walk, [payment(1), payment(2), payment(9)], "pi_9"))
        self.assertEqual(self.walk()["after"], "pi_2")
        self.assertEqual(self.kept(), [["pi_1"], ["pi_2"], ["pi_9"]])  # what was seen is seen
        self.assertIsNone(self.page(walk, []))
        self.assertEqual(self.walked(), [None, None])

    def test_walk_given_up_is_not_whole(self):
        walk = self.walk()
        self.page(walk, [payment(1)])
        before = self.walked()
        self.db.query("UPDATE gateway_walk SET since = now() - interval '1 hour', until = now(), after = 'pi_gone'")
        self.page(self.walk(), [], whole=False)
        self.assertEqual(self.walked(), before)
        self.assertEqual(self.walk()["after"], "")

    def test_walk_that_lies_there_since_yesterday_begins_anew(self):
        self.walk()
        self.db.query("UPDATE gateway_walk SET until = until - interval '23 hours', after = 'pi_5'")
        self.assertEqual(self.walk()["after"], "pi_5")
        self.db.query("UPDATE gateway_walk SET until = until - interval '2 hours'")
        self.assertEqual(self.walk()["after"], "")

    def test_payment_is_written_when_it_changed_and_once_an_hour(self):
        self.page(self.walk(), [payment(1)])
        self.db.query("UPDATE gateway_payment SET changed_at = now() - interval '50 minutes', seen_at = now() - interval '50 minutes'")
        age = "date_trunc('minute', now() - changed_at), date_trunc('minute', now() - seen_at)"
        self.page(self.walk(), [payment(1)])
        self.assertEqual(self.kept(age), [["00:50:00", "00:50:00"]])
        self.db.query("UPDATE gateway_payment SET seen_at = now() - interval '61 minutes'")
        self.page(self.walk(), [payment(1)])
        self.assertEqual(self.kept(age), [["00:50:00", "00:00:00"]])
        for change in (dict(held_minor=0, captured_minor=100), dict(status="succeeded"), dict(currency="USD"), dict(amount_minor=7),
                       dict(attempt_id="01930102-0304-7001-8001-000000000000")):
            self.db.query("UPDATE gateway_payment SET changed_at = now() - interval '50 minutes'")
            self.page(self.walk(), [payment(1, **change)])
            self.assertEqual(self.kept(age), [["00:00:00", "00:00:00"]], change)

    def test_page_that_names_a_payment_twice_is_kept(self):
        self.page(self.walk(), [payment(1), payment(1)])
        self.assertEqual(self.kept(), [["pi_1"]])

    def test_payments_not_seen_for_long_are_forgotten_a_few_at_a_time(self):
        self.page(self.walk(), [payment(n) for n in range(5)])
        self.db.query("UPDATE gateway_payment SET seen_at = now() - interval '31 days' WHERE id <> 'pi_4'")
        for forgotten in (["3"], ["1"], []):
            rows = self.store.ask("gateway_forget", dict(keep_s=30 * 86400, most=3))
            self.assertEqual([r["forgotten"] for r in rows], forgotten)
        self.assertEqual(self.kept(), [["pi_4"]])


if __name__ == "__main__":
    SQL = statements(sys.argv.pop(1))
    with Server() as SERVER:
        sys.exit(not unittest.main(exit=False).result.wasSuccessful())
