#!/usr/bin/python3
"""Every generated statement reaches its rows by an index, and answers the types its header promises.

Plans are generic, as the store uses them, behind the policies of the roles that the programs act as, and made on a database of some thousand orders with
statistics.  The policies change no way to a row.  A sequential scan of a table in db/hot-tables fails, or a walk through a whole index of one, and the plan
is shown.

usage: sql_plans.py SQLGEN
"""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sqltest import ROOT, Server, Store, array, statements  # noqa: E402
from sqlworld import World  # noqa: E402

ROLES = ("orderd_server", "orderd_worker")
ORDERS, BATCH, ITEMS, PLACES = 4000, 100, 2000, 4

OIDS = dict(int2=21, int4=23, int8=20, bool=16, uuid=2950, text=25, bytea=17, timestamptz=1184)

# Rows as many orders further on would have them; written at once, for plans need only their number.
# No job runs at this moment: the statistics that once made the planner walk the index of the running ones.
LATER = """
INSERT INTO item (tenant, sku, title, unit_minor, currency, weight_g)
SELECT 1 + n % 2, 'more ' || n, 'title', 1, 'EUR', 1 FROM generate_series(1, 20000) n;
UPDATE job SET state = 'done', epoch = 1, done_at = now() WHERE abs(hashtext(id::text)) % 20 > 1;
UPDATE orders SET state = 'confirmed' WHERE abs(hashtext(id::text)) % 10 > 0;
UPDATE orders SET state = 'completed' WHERE abs(hashtext(id::text)) % 10 > 1;
INSERT INTO payment_attempt (tenant, id, order_id, group_no, n, state, gateway_id)
SELECT tenant, gen_random_uuid(), order_id, group_no, 1, 'captured', 'pi_' || md5(order_id::text || group_no) FROM payment;
INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
SELECT a.tenant, a.id, k.kind, a.order_id, a.group_no, 1, 'ref' FROM payment_attempt a, (VALUES ('authorize'), ('capture')) k(kind);
INSERT INTO shipment (tenant, id, order_id, group_no, location, state, tracking_code)
SELECT tenant, gen_random_uuid(), order_id, group_no, location, 'planned', md5(order_id::text || group_no) FROM payment;
INSERT INTO fulfillment_order (tenant, id, order_id, group_no, location, state)
SELECT tenant, child_id(order_id), order_id, group_no, location,
       CASE WHEN abs(hashtext(order_id::text)) % 20 = 0 THEN 'open' ELSE 'closed' END FROM payment;
INSERT INTO order_hold (tenant, order_id, group_no, reason, detail, released_at)
SELECT tenant, order_id, 0, 'inventory', '', now() FROM payment ON CONFLICT DO NOTHING;
INSERT INTO shipment_scan (tenant, shipment_id, at, status, detail, message, city)
SELECT tenant, id, now(), 'in_transit', '', '', '' FROM shipment;
INSERT INTO webhook_event (tenant, provider, event_id, kind, object_id, received_at)
SELECT tenant, 'gateway', 'evt_' || gateway_id, 'charge.succeeded', gateway_id, now() - row_number() OVER () * interval '1 min'
FROM payment_attempt;
INSERT INTO notification (tenant, id, order_id, group_no, seq, template)
SELECT tenant, gen_random_uuid(), order_id, group_no, seq, 'confirmed' FROM order_event;
INSERT INTO shipment_rate (tenant, shipment_id, rate_id, carrier, service, rate_minor, currency, chosen)
SELECT tenant, id, 'rate_' || n, 'Post', 'Parcel', n, 'EUR', n = 1 FROM shipment, generate_series(1, 3) n;
INSERT INTO shipment_label (tenant, remote_id, shipment_id, carrier, service, tracking_code, rate_minor, currency, voided_at)
SELECT tenant, 'shp_' || id || n, id, 'Post', 'Parcel', 'TR', 1, 'EUR', CASE WHEN n > 1 THEN now() END
FROM shipment, generate_series(1, 2) n;
INSERT INTO order_hold (tenant, order_id, group_no, reason, detail)
SELECT tenant, order_id, group_no, 'shipping', 'no offer' FROM shipment;
INSERT INTO order_event (tenant, order_id, seq, kind, to_state, actor)
SELECT tenant, order_id, seq + n, 'more', 'pending', 'test' FROM order_event, generate_series(1, 5) n;
ALTER TABLE call_record DISABLE TRIGGER USER;
INSERT INTO call_record (tenant, seq, id, at, recorded_at, actor, role, peer, method, object, status, reason, calls, trace, prev, hash)
SELECT tenant, seq, gen_random_uuid(), now(), now() - seq * interval '1 s', 'key:' || seq % 20, 'ops_admin', 'ipv4:127.0.0.1',
       '/m' || seq % 11, md5((seq / 3)::text), CASE WHEN seq % 30 = 0 THEN 7 ELSE 0 END, 'R' || greatest(seq % 100 - 80, 0), 1, '', '', ''
FROM generate_series(1, 2) tenant, generate_series(1, 10000) seq;
ALTER TABLE call_record ENABLE TRIGGER USER;
INSERT INTO call_chain SELECT tenant, 10000, sha256('') FROM generate_series(1, 2) tenant;
"""


def load(world):
    for tenant in (1, 2):
        world.tenant(tenant, ITEMS // 2, PLACES)
        for place in range(PLACES):
            world.receive(tenant, place, [(item, 1000) for item in range(ITEMS // 2)])
    pick = world.random.randrange
    for _ in range(ORDERS // BATCH):
        world.store.run([world.order(1 + pick(2), [(line, pick(ITEMS // 2), pick(PLACES), 1) for line in (1, 2)],
                                     customer=f"customer {pick(500)}") for _ in range(BATCH)])
    world.store.session.query(LATER)
    world.store.session.query("VACUUM ANALYZE")


def scans(node, found):
    if node["Node Type"] == "Seq Scan" or ("Index Name" in node and "Relation Name" in node and "Index Cond" not in node):
        found.add(node["Relation Name"])
    for child in node.get("Plans", []):
        scans(child, found)
    return found


def reach(node, found=None):
    """How rows are reached, sorted: by which index, by which of its columns, and what must be put in order for it.  Not in
    which order tables are joined: where two ways cost the same, anything decides."""
    found = [] if found is None else found
    if "Index Name" in node or node["Node Type"] in ("Seq Scan", "Sort"):
        found.append(" ".join([node["Node Type"], node.get("Index Name", ""), node.get("Relation Name", ""),
                               *sorted(re.findall(r"\((\w+) [=<>]", node.get("Index Cond", "")))]))
    for child in node.get("Plans", []):
        reach(child, found)
    return sorted(found)


def explain(session, name, types):
    args = ", ".join(array([], t) for t in types)
    call = f"EXECUTE {name}({args})" if types else f"EXECUTE {name}"
    plan = json.loads(session.one("EXPLAIN (FORMAT JSON) " + call))[0]["Plan"]
    return plan, "\n".join(r[0] for r in session.query("EXPLAIN " + call))


def parameters(session, name):
    return session.one(f"SELECT array_to_string(parameter_types, ',') FROM pg_prepared_statements WHERE name = '{name}'")


def main():
    sql, hot, bad = statements(sys.argv[1]), set((ROOT / "db/hot-tables").read_text().split()), []
    with Server("autovacuum=off") as server:
        name = server.database("plans")
        with server.session(name) as session:
            load(World(Store(session, sql)))
        with server.session(name) as session:  # prepared after the load, as a store that reconnects
            store = Store(session, sql)
            for statement in sorted(sql):
                types = [t.removesuffix("[]") for t in (parameters(session, statement) or "").split(",") if t]
                plan, _ = explain(session, statement, types)  # of a superuser, whom no policy hinders
                for role in ROLES:
                    if role == "orderd_server" and re.search("DELETE FROM|call_record_cut", sql[statement]):
                        continue  # it may not
                    session.query("SET ROLE " + role)
                    behind, text = explain(session, statement, types)
                    session.query("RESET ROLE")
                    slow = scans(behind, set()) & hot
                    if slow:
                        bad.append(f"{statement} as {role} scans {', '.join(sorted(slow))}:\n{text}")
                    if reach(behind) != reach(plan):
                        bad.append(f"{statement} as {role} reaches its rows in another way than without policies,"
                                   f" {reach(plan)}:\n{text}")
            for kind in store.kinds.values():
                promised, given = [OIDS[t.rstrip("?")] for _, t in kind.answer], session.describe(kind.name)
                if promised != given:
                    bad.append(f"{kind.name} answers types {given}, its header promises {promised}")
    print("\n\n".join(bad) or f"ok {len(sql)} statements")
    sys.exit(1 if bad else 0)


main()
