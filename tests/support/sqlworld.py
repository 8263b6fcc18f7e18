"""A small world for judges of SQL: two tenants, places, items, stock, and orders as the server places them."""

import hashlib
import random
import uuid

from sqltest import ROOT, SqlError

PLACE, CANCEL, RECEIVE, ADJUST, CONFIRM_PICK, CONFIRM_PACK = 1, 2, 3, 4, 5, 6  # server/request.h
HANDOVER, VOID_LABEL, TRACKING = 8, 9, 10
HOUR_S = 3600
SSCC_PREFIX = "09520000"

OFFERS = [dict(rate_id="rate_1", carrier="DHL", service="parcel", rate_minor=500, currency="EUR", delivery_days=2, chosen=True),
          dict(rate_id="rate_2", carrier="DHL", service="express", rate_minor=900, currency="EUR", delivery_days=None,
               chosen=False)]


class World:
    """seed makes ids and choices the same in every run."""

    def __init__(self, store, seed=1):
        self.store, self.random = store, random.Random(seed)
        self.items, self.places, self.number = {}, {}, 0

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def key(self):
        self.number += 1
        return f"request {self.number}"

    def tenant(self, tenant, items, places):
        """`items` and `places` by number; every item gets a sku of the same number."""
        self.store.session.query(f"INSERT INTO tenant (tenant, name) VALUES ({tenant}, 'another') ON CONFLICT DO NOTHING")
        lines = [dict(line=i, sku=f"sku-{i}", title=f"item {i}", unit_minor=100 + i, currency="EUR", weight_g=10)
                 for i in range(items)]
        rows = self.store.ask("item_upsert", dict(tenant=tenant), lines)
        self.items[tenant] = [int(r["item"]) for r in rows]
        self.places[tenant] = []
        for i in range(places):
            self.place(tenant, i)

    def place(self, tenant, i, fulfillment="automatic"):
        row = self.store.ask("location_create", dict(
            tenant=tenant, code=f"place-{i}", name=f"place {i}", priority=i, latitude_e6=0, longitude_e6=0, street="Way 1",
            city="Town", region="", postal_code="10000", country="DE", fulfillment=fulfillment))[0]
        self.places[tenant].append(int(row["location"]))

    def receipt(self, tenant, place, goods):
        """goods: [(item number, qty)]"""
        body = repr((place, goods))
        return ("stock_receive", dict(tenant=tenant, receipt_id=self.id(), request_method=RECEIVE, request_key=self.key(),
                                      fingerprint=hashlib.sha256(body.encode()).digest(), location_code=f"place-{place}",
                                      reference="truck", actor="clerk"),
                [dict(line=n, sku=f"sku-{i}", qty=q) for n, (i, q) in enumerate(goods)])

    def receive(self, tenant, place, goods):
        return self.store.run([self.receipt(tenant, place, goods)])[0]

    def order(self, tenant, shares, customer="customer", expires_s=HOUR_S, foreign=None):
        """shares: [(line, item number, place number, qty)] -> unit.  One group per place, in order of appearance."""
        owner = foreign or tenant
        order_id, lines, places, seen = self.id(), [], [], set()
        ordered = {}
        for line, _, place, qty in shares:
            ordered[line] = ordered.get(line, 0) + qty
            if place not in places:
                places.append(place)
        for line, item, place, qty in shares:
            lines.append(dict(line=line, item=self.items[owner][item], location=self.places[owner][place], qty=qty,
                              unit_minor=100, group_no=places.index(place) + 1,
                              ordered=ordered[line] if line not in seen else None))
            seen.add(line)
        for number, place in enumerate(places):
            own = [share for share in lines if share["group_no"] == number + 1]
            own[0].update(group_minor=100 * sum(share["qty"] for share in own), job_id=self.id())
        head = dict(tenant=tenant, order_id=order_id, request_method=PLACE, request_key=self.key(),
                    fingerprint=hashlib.sha256(repr(shares).encode()).digest(), groups=len(places), currency="EUR",
                    total_minor=100 * sum(share["qty"] for share in lines), customer=customer, channel="shop",
                    reference="their number", contact_id=self.id(), sealed=b"sealed", expires_s=expires_s, method_token="tok",
                    actor="customer", fallback_methods="", wait_for_payment=False, ship_service="cheapest", notify=True)
        return ("order_place", head, lines)

    def cancel(self, tenant, order_id, groups=1, version=None):
        return ("order_cancel", dict(tenant=tenant, order_id=order_id, request_method=CANCEL, request_key=self.key(),
                                     fingerprint=b"c" * 32, cause=self.id(), version=version, reason="changed my mind",
                                     actor="customer"), self.candidates(groups))

    def expire(self, tenant, order_id, groups=1):
        return ("order_expire", dict(tenant=tenant, order_id=order_id, cause=self.id()), self.candidates(groups))

    def confirmation(self, tenant, order_id, group, fulfillment_id, job_id, method, key=None, body=b"r"):
        """What a confirmed pick and a confirmed pack have in common."""
        return dict(tenant=tenant, order_id=order_id, group_no=group, fulfillment_id=fulfillment_id, job_id=job_id,
                    request_method=method, request_key=key or "site/" + self.key(), fingerprint=body * 32, actor="picker")

    def candidates(self, groups):
        return [dict(group_no=g + 1, job_id=self.id()) for g in range(groups)]

    def adjustment(self, tenant, place, item, delta, unavailable=False):
        return ("stock_adjust", dict(tenant=tenant, adjustment_id=self.id(), request_method=ADJUST, request_key=self.key(),
                                     fingerprint=b"a" * 32, location_code=f"place-{place}", sku=f"sku-{item}", delta=delta,
                                     unavailable=unavailable, reason="counted", actor="clerk"), [])


class Life:
    """What workers do to one shipment group of an order, step by step, as their flows ask for it."""

    def __init__(self, world, tenant, order_id, group=1, groups=1):
        self.world, self.store, self.groups = world, world.store, groups
        self.where = dict(tenant=tenant, order_id=order_id, group_no=group)
        self.attempt = self.shipment = self.job = None

    def claim(self, kind):
        job = self.store.session.query(
            f"SELECT id FROM job WHERE order_id = '{self.where['order_id']}' AND group_no = {self.where['group_no']} "
            f"AND kind = '{kind}' AND state = 'ready'")[0][0]
        epoch = self.store.ask("job_claim", dict(job_id=job, worker=self.world.id(), lease_s=60))[0]["epoch"]
        self.job = dict(job_id=job, epoch=epoch)

    def step(self, name, lines=(), **more):
        head = dict(self.where, **self.job, **more)
        return self.store.ask(name, {c: head[c] for c, _ in self.store.kinds[name].head}, lines)

    def begin(self):
        self.claim("payment.authorize")
        self.attempt = self.step("payment_begin", attempt_id=self.world.id())[0]["attempt_id"]

    def authorize(self):
        if self.attempt is None:
            self.begin()
        return self.step("payment_authorized", self.world.candidates(self.groups), attempt_id=self.attempt,
                         gateway_id="pi_" + self.attempt, authorized_until=None, void_job=self.world.id())

    def decline(self):
        self.begin()
        return self.step("payment_declined", self.world.candidates(self.groups), attempt_id=self.attempt, gateway_id=None,
                         decline_code="card_declined")

    def void(self):
        self.claim("payment.void")
        return self.step("payment_voided", attempt_id=self.attempt, gateway_ref="vo_" + self.attempt)

    def pick(self):
        self.claim("fulfillment.pick")
        return self.step("fulfillment_picked", next_job=self.world.id())

    def pack(self):
        self.shipment = self.world.id()
        self.claim("fulfillment.pack")
        return self.step("fulfillment_packed", next_job=self.world.id(), shipment_id=self.shipment,
                         sscc_prefix=SSCC_PREFIX)

    def confirm_pick(self, **counts):
        """counts: line1=2, for what there was less of than planned."""
        work = self.store.session.one(f"SELECT id FROM fulfillment_order WHERE order_id = '{self.where['order_id']}'")
        job = self.store.session.one(f"SELECT id FROM job WHERE order_id = '{self.where['order_id']}' AND kind = 'fulfillment.pick'")
        head = self.world.confirmation(*self.where.values(), work, job, CONFIRM_PICK)
        return self.store.ask("pick_confirmed", dict(head, pack_job=self.world.id(), void_job=self.world.id(),
                                                     resource_job=self.world.id()),
                              [dict(line=int(name[4:]), qty=qty) for name, qty in counts.items()])

    def search(self, missing, taken, place):
        """Of line 1, item 0, at one place."""
        lines = [dict(line=1, item=self.world.items[1][0], location=self.world.places[1][place], qty=taken, group_no=1,
                      job_id=self.world.id())] if taken else []
        self.where["group_no"] = 0
        self.claim("fulfillment.resource")
        return self.step("order_resourced", lines, cause=self.world.id(), backordered=missing, more=False, delay_ms=0)

    def ship(self):
        self.claim("shipping.label")
        self.step("label_intent", remote_id="shp_" + self.shipment)
        self.step("label_bought", OFFERS, carrier="DHL", service="parcel", tracking_code="TRACK", tracking_url="http://track",
                  tracker_id=None, label_url="u", rate_minor=500, currency="EUR", next_job=self.world.id())
        amount = self.store.session.one(
            f"SELECT amount_minor FROM payment WHERE order_id = '{self.where['order_id']}' "
            f"AND group_no = {self.where['group_no']}")
        self.claim("payment.capture")
        self.step("payment_captured", attempt_id=self.attempt, gateway_ref="ch_" + self.attempt, amount_minor=amount,
                  next_job=self.world.id())
        self.claim("shipping.handover")
        return self.step("shipment_handed_over", next_job=self.world.id(), track_delay_ms=0, delay_ms=0)

    def deliver(self):
        self.claim("shipping.track")
        scan = dict(at="2026-01-01 12:00:00+00", status="delivered", detail="at the door", message="", city="Town")
        return self.step("tracking_recorded", [scan], shipment_id=self.shipment, tracking_state="delivered", leg=1,
                         exception=None, fate="delivered", known=0, delay_ms=0)

    def whole(self):
        for step in (self.authorize, self.pick, self.pack, self.ship, self.deliver):
            step()


def audit(session, name):
    return session.query((ROOT / "db/audit" / (name + ".sql")).read_text())


def audits():
    return sorted(p.stem for p in (ROOT / "db/audit").glob("*.sql"))


def check_books(session):
    """Every invariant of db/audit holds."""
    for name in audits():
        rows = audit(session, name)
        assert not rows, f"audit {name} finds {rows[:3]}"


def dump(session):
    """All rows of all tables, to see that something changed nothing."""
    tables = session.query("SELECT relname FROM pg_class WHERE relnamespace = 'orderd'::regnamespace AND relkind = 'r'")
    return {t: sorted(session.query(f"SELECT x::text FROM {t} x")) for (t,) in tables}


__all__ = ["World", "Life", "audit", "audits", "check_books", "dump", "SqlError", "HOUR_S", "OFFERS", "ROOT", "SSCC_PREFIX",
           "CONFIRM_PICK", "CONFIRM_PACK", "HANDOVER"]


def aged_records(tenant, up_to, days):
    """The statement that makes a chain as it would be if its rows up to that one had been written so many days earlier."""
    return f"""ALTER TABLE call_record DISABLE TRIGGER USER;
DO $$
DECLARE
    r call_record;
    last bytea;
BEGIN
    FOR r IN SELECT * FROM call_record WHERE tenant = {tenant} ORDER BY seq LOOP
        r.prev := coalesce(last, r.prev);
        r.recorded_at := r.recorded_at - CASE WHEN r.seq <= {up_to} THEN interval '{days} days' ELSE interval '0' END;
        last := call_record_hash(r);
        UPDATE call_record SET (prev, recorded_at, hash) = (r.prev, r.recorded_at, last) WHERE (tenant, seq) = ({tenant}, r.seq);
    END LOOP;
    UPDATE call_chain SET hash = last WHERE tenant = {tenant};
END $$;
ALTER TABLE call_record ENABLE TRIGGER USER"""
