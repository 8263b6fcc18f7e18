"""Orders on their way through life, unit by unit, and the proofs of every step.

An Order makes generators of units and is sent their answers.  Walk.one() takes them one at a time: each unit is also
asked with a stale epoch, a foreign tenant and another order's id, which must change nothing; then it is asked twice,
where the second asking must change nothing; then the audits of db/audit must hold.  Walk.together() sends the units
of many orders in one batch.
"""

import uuid

import sqltest
from sqlworld import CONFIRM_PACK, CONFIRM_PICK, SSCC_PREFIX, World, check_books
from sqlworld import HANDOVER, OFFERS, TRACKING, VOID_LABEL, World, check_books

WORKER = str(uuid.uuid4())
SCAN_AT = "2026-01-02 03:04:05+00"
MANUAL = 2  # the place whose picks and packs are confirmed
RARE = 3  # an item of which that place has five and no other any
NO_JOB = "00000000-0000-0000-0000-000000000000"


def new_id():
    return str(uuid.uuid4())


class Unit:
    def __init__(self, name, head, lines=(), outcome=None):
        self.name, self.head, self.lines, self.outcome = name, head, list(lines), outcome

    def __iter__(self):
        """A walk of one step."""
        return (unit for unit in (self,))


class Order:
    """With one group: line 1 from place 0.  With two: line 2 from both places and line 3 from place 1 as well.  Or the
    shares that are given: [(line, item, place, qty)]."""

    def __init__(self, walk, groups, tenant, expires_s, shares=None, **wishes):
        shares = shares or [(1, 0, 0, 2)] + [(2, 1, 0, 1), (2, 1, 1, 2), (3, 2, 1, 1)] * (groups - 1)
        self.walk, self.groups, self.tenant = walk, len({place for _, _, place, _ in shares}), tenant
        self.shares, self.attempts, self.shipments, self.remotes = shares, {}, {}, {}
        self.placing = Unit(*walk.world.order(tenant, shares, expires_s=expires_s), "placed")
        self.placing.head.update(wishes)
        self.id = self.placing.head["order_id"]

    @property
    def all_groups(self):
        return range(1, self.groups + 1)

    def head(self, **more):
        return {"tenant": self.tenant, "order_id": self.id, **more}

    def candidates(self):
        return [{"group_no": g, "job_id": new_id()} for g in self.all_groups]

    def cancelling(self, outcome="cancelled"):
        return Unit(*self.walk.world.cancel(self.tenant, self.id, self.groups), outcome)

    def expiring(self, outcome):
        return Unit(*self.walk.world.expire(self.tenant, self.id, self.groups), outcome)

    # ---- what a worker does for one group: generators of units, sent their answers

    def claim(self, group, kind):
        job = self.walk.open_job(self, group, kind)
        got = yield Unit("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60})
        return self.head(group_no=group, job_id=job, epoch=int(got[0]["epoch"]))

    def begin(self, group, outcome="begun"):
        head = yield from self.claim(group, "payment.authorize")
        got = yield Unit("payment_begin", {**head, "attempt_id": new_id()}, (), outcome)
        self.attempts[group] = got[0]["attempt_id"]
        return {**head, "attempt_id": self.attempts[group]}

    def authorized(self, head, outcome, until=None):
        yield Unit("payment_authorized", {**head, "gateway_id": "pi_1", "authorized_until": until, "void_job": new_id()},
                   self.candidates(), outcome)

    def authorize(self, group, outcome):
        head = yield from self.begin(group)
        yield Unit("payment_found", {**head, "gateway_id": "pi_1"})
        yield from self.authorized(head, outcome)

    def decline(self, head, outcome):
        yield Unit("payment_declined", {**head, "gateway_id": None, "decline_code": "insufficient_funds"},
                   self.candidates(), outcome)

    def refuse(self, group, outcome):
        head = yield from self.begin(group)
        yield from self.decline(head, outcome)

    def await_action(self, head, poll_ms=60000):
        yield Unit("payment_action", {**head, "gateway_id": "pi_1", "action_url": "https://bank.example/1", "poll_ms": poll_ms})

    def lapse(self, group, outcome="lapsed", kind="payment.renew", back_ms=None):
        head = yield from self.claim(group, kind)
        yield Unit("payment_lapsed", {**head, "attempt_id": self.attempts[group], "gateway_ref": "pi_1", "next_job": new_id(),
                                      "delay_ms": back_ms}, (), outcome)

    def lapse_by_hand(self, group):
        self.walk.query("INSERT INTO job (id, tenant, order_id, group_no, kind) SELECT child_id(id), tenant, id, "
                        f"{group}, 'payment.renew' FROM orders WHERE id = '{self.id}'")
        return self.lapse(group)

    def retrying(self, outcome="retried", group=0, method="another", fallbacks=""):
        return Unit("payment_retry", self.head(request_method=7, request_key=self.walk.world.key(), fingerprint=b"f" * 32,
                                               group_no=group, method_token=method, fallback_methods=fallbacks,
                                               actor="clerk"), (), outcome)

    def void(self, group):
        head = yield from self.claim(group, "payment.void")
        yield Unit("payment_voided", {**head, "attempt_id": self.attempts[group], "gateway_ref": "vo_1"})

    def pay(self):
        for group in self.all_groups:
            yield from self.authorize(group, "confirmed" if group == self.groups else "authorized")

    def pick(self, group, outcome="picked"):
        head = yield from self.claim(group, "fulfillment.pick")
        yield Unit("fulfillment_picked", {**head, "next_job": new_id()}, (), outcome)

    def pack(self, group, outcome="packed"):
        head = yield from self.claim(group, "fulfillment.pack")
        self.shipments[group] = new_id()
        yield Unit("fulfillment_packed", {**head, "shipment_id": self.shipments[group], "next_job": new_id(),
                                          "sscc_prefix": SSCC_PREFIX}, (), outcome)

    # ---- what people confirm

    def confirmation(self, group, method, kind, key, body):
        work = self.walk.query(f"SELECT id FROM fulfillment_order WHERE order_id = '{self.id}' AND group_no = {group}")[0][0]
        job = self.walk.query(f"SELECT id FROM job WHERE order_id = '{self.id}' AND group_no = {group} AND kind = '{kind}' "
                              "AND state IN ('ready', 'parked')")
        return self.walk.world.confirmation(self.tenant, self.id, group, work, job[0][0] if job else NO_JOB, method, key, body)

    def confirm_pick(self, group, outcome="picked", key=None, body=b"r", **counts):
        """counts: line1=2, for what there was less of than planned."""
        lines = [{"line": int(name[4:]), "qty": qty} for name, qty in counts.items()]
        head = self.confirmation(group, CONFIRM_PICK, "fulfillment.pick", key, body)
        yield Unit("pick_confirmed", {**head, "pack_job": new_id(), "void_job": new_id(), "resource_job": new_id()}, lines, outcome)

    def confirm_pack(self, group, outcome="packed", key=None, weight=0):
        head = self.confirmation(group, CONFIRM_PACK, "fulfillment.pack", key, b"r")
        self.shipments[group] = new_id()
        yield Unit("pack_confirmed", {**head, "weight_g": weight, "shipment_id": self.shipments[group], "next_job": new_id(),
                                      "sscc_prefix": SSCC_PREFIX}, (), outcome)

    def search(self, shares, outcome, missing, more=False):
        """shares: [(line, item, place, qty)]; one new group per place.  missing: how many units the caller saw."""
        self.walk.time_passes()
        head = yield from self.claim(0, "fulfillment.resource")
        places, lines = [], []
        for line, item, place, qty in shares:
            lines.append({"line": line, "item": self.walk.world.items[self.tenant][item], "qty": qty,
                          "location": self.walk.world.places[self.tenant][place], "job_id": None if place in places else new_id()})
            places += [] if place in places else [place]
            lines[-1]["group_no"] = places.index(place) + 1
        yield Unit("order_resourced", {**head, "cause": new_id(), "backordered": missing, "more": more,
                                       "delay_ms": 300000}, lines, outcome)
        if outcome in ("sourced", "partly"):
            self.groups += len(places)

    def intend(self, group):
        """The carrier's shipment of this try: another one after each label."""
        head = yield from self.claim(group, "shipping.label")
        self.remotes[group] = f"shp_{self.id}_{group}_{self.walk.labels(self, group) + 1}"
        yield Unit("label_intent", {**head, "remote_id": self.remotes[group]})
        return head

    def label(self, group):
        head = yield from self.intend(group)
        yield Unit("label_bought", {**head, "carrier": "Post", "service": "Parcel", "tracking_code": "TR" + self.remotes[group],
                                    "tracking_url": None, "tracker_id": None, "label_url": "http://label",
                                    "rate_minor": 420, "currency": "EUR", "next_job": new_id()}, OFFERS)

    def hold_label(self, group, why="nobody offers it"):
        head = yield from self.claim(group, "shipping.label")
        yield Unit("label_held", {**head, "why": why, "delay_ms": 900000})

    def voiding(self, group, outcome="voiding", key=None):
        head = {"tenant": self.tenant, "order_id": self.id, "shipment_id": self.shipments[group],
                "request_method": VOID_LABEL, "request_key": key or self.walk.world.key(), "fingerprint": b"v" * 32,
                "reason": "wrong box", "actor": "packer", "next_job": new_id()}
        yield Unit("label_void_begin", head, (), outcome)

    def give_back(self, group, refused=None):
        head = yield from self.claim(group, "shipping.void")
        yield Unit("label_voided", {**head, "refused": refused, "next_job": new_id()}, (), "kept" if refused else "voided")

    def confirming(self, groups, outcome="confirmed", key=None, tenant=None):
        lines = [{"line": n, "shipment_id": self.shipments[g]} for n, g in enumerate(groups)]
        yield Unit("handover_confirm", {"tenant": tenant or self.tenant, "request_method": HANDOVER,
                                        "request_key": key or self.walk.world.key(), "fingerprint": b"h" * 32,
                                        "resource": lines[0]["shipment_id"]}, lines, outcome)

    def capture(self, group):
        head = yield from self.claim(group, "payment.capture")
        yield Unit("payment_captured", {**head, "attempt_id": self.attempts[group], "gateway_ref": "ch_1",
                                        "amount_minor": self.walk.amount(self, group), "next_job": new_id()})

    def hand_over(self, group, outcome="handed_over"):
        head = yield from self.claim(group, "shipping.handover")
        yield Unit("shipment_handed_over", {**head, "next_job": new_id(), "track_delay_ms": 60000, "delay_ms": 30000}, (),
                   outcome)

    def news(self, group, state, leg=1, exception=None, fate=None, known=None):
        """What core/domain/tracking.c would make of it."""
        end = "handed_over" if state != "delivered" else "delivered" if leg == 1 else "returned"
        return {"shipment_id": self.shipments[group], "tracking_state": state, "leg": leg, "exception": exception,
                "fate": fate or ("lost" if exception == "lost" else end),
                "known": self.walk.scans(self, group) if known is None else known}

    def track(self, group, state, outcome, scans=1, status=None, at=SCAN_AT, **more):
        self.walk.time_passes()
        head = yield from self.claim(group, "shipping.track")
        scan = {"at": at, "status": status or state, "detail": "", "message": "said so", "city": "Ghent"}
        yield Unit("tracking_recorded", {**head, **self.news(group, state, **more), "delay_ms": 60000}, [scan] * scans, outcome)

    def report(self, group, state, outcome="recorded", status=None, at=SCAN_AT, key=None, most=1000, **more):
        scan = {"at": at, "status": status or state, "detail": "", "message": "", "city": ""}
        head = self.head(group_no=group, request_method=TRACKING, request_key=key or self.walk.world.key(),
                         fingerprint=b"t" * 32, cause=new_id(), accepted=state != "pre_transit", most=most,
                         **self.news(group, state, **more))
        yield Unit("tracking_reported", head, [scan], outcome)

    def tell(self, outcome="sent", detail=None):
        """The oldest of the mails that wait."""
        job = self.walk.session.one(f"SELECT id FROM job WHERE order_id = '{self.id}' AND kind = 'notification.mail' "
                                    "AND state = 'ready' ORDER BY created_at, id LIMIT 1")
        got = yield Unit("job_claim", {"job_id": job, "worker": WORKER, "lease_s": 60})
        yield Unit("mail_recorded", {**self.head(group_no=0, job_id=job, epoch=int(got[0]["epoch"])), "outcome": outcome,
                                     "detail": detail})

    def tell_all(self):
        while self.walk.mails_open(self):
            yield from self.tell()

    def send(self, group):
        """What is picked already."""
        for step in (self.pack, self.label, self.capture, self.hand_over):
            yield from step(group)

    def ship(self, group):
        for step in (self.pick, self.pack, self.label, self.capture, self.hand_over):
            yield from step(group)

    def whole_life(self):
        yield from self.pay()
        for group in self.all_groups:
            yield from self.ship(group)
        for group in self.all_groups:
            yield from self.track(group, "in_transit", "waiting", scans=2)
            yield from self.track(group, "delivered", "completed" if group == self.groups else "delivered")
        yield from self.tell_all()


class Stage:
    """One server and a template database with two tenants, their places, items and stock; a copy per Walk."""

    def __init__(self, sqlgen):
        self.server, self.statements, self.copies = sqltest.Server(), sqltest.statements(sqlgen), 0
        with self.server.session(self.server.database("stage")) as session:
            self.world = World(sqltest.Store(session, self.statements))
            for tenant in (1, 2):
                self.world.tenant(tenant, items=4, places=2)
                self.world.place(tenant, MANUAL, "manual")
                for place in (0, 1, MANUAL):
                    self.world.receive(tenant, place, [(item, 1000) for item in range(3)])
                self.world.receive(tenant, MANUAL, [(RARE, 5)])

    def copy(self):
        self.copies += 1
        with self.server.session() as session:
            session.query(f"CREATE DATABASE walk{self.copies} TEMPLATE stage")
            session.query(f"ALTER DATABASE walk{self.copies} SET search_path = orderd")
        return self.connect()

    def connect(self):
        """Another connection to the latest copy."""
        return sqltest.Store(self.server.session(f"walk{self.copies}"), self.statements)

    def stop(self):
        self.server.stop()


class Walk:
    """A database of its own and one connection of the store."""

    def __init__(self, stage):
        self.stage, self.store = stage, stage.copy()
        self.session = self.store.session
        self.world = World(self.store, seed=2)
        self.world.items, self.world.places = stage.world.items, stage.world.places
        self.world.number = stage.world.number
        self.tables = [row[0] for row in self.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'orderd' ORDER BY 1")]
        self.bystander = self.order(2)

    def close(self):
        self.session.close()

    def query(self, sql):
        return self.session.query(sql)

    def open_job(self, order, group, kind):
        found = self.query(f"SELECT id FROM job WHERE order_id = '{order.id}' AND group_no = {group} AND kind = '{kind}' "
                           f"AND state = 'ready'")
        if len(found) != 1:
            raise AssertionError(f"{len(found)} open jobs {kind} of group {group}")
        return found[0][0]

    def mails_open(self, order):
        return int(self.session.one(f"SELECT count(*) FROM notification WHERE order_id = '{order.id}' AND state = 'queued'"))

    def mails(self, order):
        """(template, state) of all, oldest first."""
        return [tuple(row) for row in self.query(f"SELECT template, state FROM notification WHERE order_id = '{order.id}' "
                                                 "ORDER BY seq")]

    def open_job_count(self, order, group, kind):
        return int(self.session.one(f"SELECT count(*) FROM job WHERE order_id = '{order.id}' AND group_no = {group} "
                                    f"AND kind = '{kind}' AND state = 'ready'"))

    def amount(self, order, group):
        return self.session.one(f"SELECT amount_minor FROM payment WHERE order_id = '{order.id}' AND group_no = {group}")

    def payment(self, order, group=1):
        """Its state, what is held, when that ends, the method used and those left."""
        return self.query("SELECT state, authorized_minor, authorized_until IS NOT NULL, method_token, fallback_methods "
                          f"FROM payment WHERE order_id = '{order.id}' AND group_no = {group}")[0]

    def work(self, order, group=1):
        return [row[0] for row in self.query(f"SELECT kind FROM job WHERE order_id = '{order.id}' AND group_no = {group} "
                                             "AND state <> 'done' ORDER BY kind")]

    def held(self, order):
        return [row[0] for row in self.query(f"SELECT group_no FROM order_hold WHERE order_id = '{order.id}' "
                                             "AND reason = 'payment' AND released_at IS NULL ORDER BY 1")]

    def labels(self, order, group):
        """How many were bought for this parcel."""
        return int(self.session.one(f"SELECT count(*) FROM shipment_label WHERE shipment_id = '{order.shipments[group]}'"))

    def scans(self, order, group):
        return int(self.session.one(f"SELECT count(*) FROM shipment_scan WHERE shipment_id = '{order.shipments[group]}'"))

    def parcel(self, order, group=1):
        return self.query(f"SELECT state, tracking_state, leg, exception FROM shipment WHERE id = '{order.shipments[group]}'")[0]

    def holds(self, order):
        return self.query(f"SELECT group_no, reason, detail FROM order_hold WHERE order_id = '{order.id}' "
                          "AND released_at IS NULL ORDER BY 1, 2")

    def time_passes(self):
        """Whatever waits is due."""
        self.query("UPDATE job SET run_at = now() WHERE state = 'ready'")

    def bury(self, which):
        """The jobs that are so: given up."""
        self.query(f"WITH j AS (UPDATE job SET state = 'dead' WHERE {which} RETURNING tenant, order_id, group_no) "
                   "INSERT INTO order_hold (tenant, order_id, group_no, reason, detail) "
                   "SELECT DISTINCT tenant, order_id, group_no, 'job_dead', '' FROM j")

    def look(self, order):
        return self.query(f"SELECT state, payment_state, fulfillment_state FROM orders WHERE id = '{order.id}'")[0]

    def fulfillment(self, order):
        """The states of its fulfilment orders."""
        return [row[0] for row in self.query(f"SELECT state FROM fulfillment_order WHERE order_id = '{order.id}' ORDER BY group_no")]

    def events(self, order):
        return [row[0] for row in self.query(f"SELECT kind FROM order_event WHERE order_id = '{order.id}' ORDER BY seq")]

    def dump(self):
        parts = [f"SELECT '{t}' AS t, md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) FROM {t} x"
                 for t in self.tables]
        return dict(map(tuple, self.query(" UNION ALL ".join(parts))))

    def prove(self):
        check_books(self.session)

    def must_change_nothing(self, name, head, lines, why, may_answer=False, before=None):
        before = before or self.dump()
        rows = self.store.ask(name, head, lines)
        after = self.dump()
        changed = [t for t in before if before[t] != after[t]]
        if changed:
            raise AssertionError(f"{name}, {why}: changed {changed}")
        if rows and not may_answer:
            raise AssertionError(f"{name}, {why}: answered {rows}")

    def wrong_heads(self, head):
        if "epoch" in head:
            yield "a stale epoch", {**head, "epoch": head["epoch"] - 1}
            yield "an epoch never given", {**head, "epoch": head["epoch"] + 1}
            if "order_id" in head:
                yield "a foreign tenant", {**head, "tenant": 3 - head["tenant"]}
                yield "another order", {**head, "order_id": self.bystander.id}

    def foreign_reports(self, head):
        """What people report is not claimed; it must be about the very fulfilment order."""
        if "fulfillment_id" in head:
            yield "a foreign tenant", {**head, "tenant": 3 - head["tenant"]}
            yield "another order", {**head, "order_id": self.bystander.id}
            yield "another group", {**head, "group_no": head["group_no"] + 1}
            yield "no fulfilment order", {**head, "fulfillment_id": new_id()}

    def wrong_requests(self, head):
        """Requests about a parcel, or a job, that is not the caller's: refused in words."""
        if "request_key" in head and ("shipment_id" in head or "job_id" in head) and "fulfillment_id" not in head:
            yield "a foreign tenant", {**head, "tenant": 3 - head["tenant"]}
            yield "another order", {**head, "order_id": self.bystander.id}

    def check_outcome(self, unit, rows):
        if not rows:
            raise AssertionError(f"{unit.name}: no row")
        if unit.outcome and any(row["outcome"] != unit.outcome for row in rows):
            raise AssertionError(f"{unit.name}: {rows}, not {unit.outcome}")

    def ask(self, unit):
        before = self.dump()
        for why, head in self.wrong_heads(unit.head):
            self.must_change_nothing(unit.name, head, unit.lines, why, before=before)
        for why, head in self.foreign_reports(unit.head):
            self.must_change_nothing(unit.name, head, unit.lines, why, may_answer=True, before=before)
        for why, head in self.wrong_requests(unit.head):
            self.must_change_nothing(unit.name, head, unit.lines, why, may_answer=True, before=before)
        rows = self.store.ask(unit.name, unit.head, unit.lines)
        self.check_outcome(unit, rows)
        self.must_change_nothing(unit.name, unit.head, unit.lines, "asked twice", may_answer=True)
        self.prove()
        return rows

    def one(self, *walks):
        """Each walk to its end, one unit at a time, every unit with all its proofs."""
        for walk in map(iter, walks):
            rows = None
            try:
                while True:
                    rows = self.ask(walk.send(rows))
            except StopIteration:
                pass

    def together(self, walks):
        """All walks side by side: each turn sends the next unit of every walk, one batch per lane."""
        waiting = {i: (walk, next(walk)) for i, walk in enumerate(walks)}
        while waiting:
            for lane in ("order", "job"):
                mine = [i for i in sorted(waiting) if self.store.kinds[waiting[i][1].name].lane == lane]
                units = [waiting[i][1] for i in mine]
                strangers = [Unit(u.name, h) for u in units[:1] for _, h in self.wrong_heads(u.head)]
                sent = [(u.name, u.head, u.lines) for u in strangers + units]
                answers = self.store.run(sent) if sent else []
                if any(answers[:len(strangers)]):
                    raise AssertionError("a stale or foreign unit was answered")
                for i, rows in zip(mine, answers[len(strangers):]):
                    walk, unit = waiting.pop(i)
                    self.check_outcome(unit, rows)
                    try:
                        waiting[i] = (walk, walk.send(rows))
                    except StopIteration:
                        pass
            self.prove()

    def order(self, groups=1, tenant=1, expires_s=900, shares=None, **wishes):
        order = Order(self, groups, tenant, expires_s, shares, **wishes)
        unit = order.placing
        self.check_outcome(unit, self.store.ask(unit.name, unit.head, unit.lines))
        return order
