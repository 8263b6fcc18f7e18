-- Places orders, whole or not at all.  Takes no lock of its own: it judges stock on its snapshot and inserts what fits;
-- stock_lock and stock_apply follow, and a lost race ends in the constraints of `stock` and another try of the batch.
--
-- Arrival order is exact.  A unit is `alone` if what is there would do for it alone; one that is not is short at once and
-- takes nothing.  It is granted if what is there does for it and for every earlier unit that could be granted too.
-- One that fits what the granted leave but stood behind an undecided one is told `again`, and judged in the next batch;
-- the first undecided unit of a batch is always decided, so this ends.  A unit that is `seen` is not judged.
-- Nearly always there is enough for everybody who wants it.  Such units are granted without being lined up; those that
-- want something `scarce` are contested, and all that want the same scarce thing are.
--
-- A detail row is a share: what an order line takes from one location.  `ordered` is set on the first share of a line,
-- group_minor and job_id on the first share of a shipment group.  fallback_methods are separated by newlines.
-- unit: order_place   lane: order   rank: 10
-- keys: id(order_id), request(tenant, request_method, request_key)
-- head: tenant int4, order_id uuid, request_method int2, request_key text, fingerprint bytea, groups int2, currency text, total_minor int8, customer text, channel text, reference text, contact_id uuid, sealed bytea, expires_s int4, method_token text, actor text
-- head: fallback_methods text, wait_for_payment bool, ship_service text, notify bool, trace bytea?
-- line: line int4, item int8, location int4, qty int8, unit_minor int8, group_no int2, ordered int8?, group_minor int8?, job_id uuid?
-- answer: ordinal int8, outcome text, item int8?, left_qty int8?, number int8?, placed_at timestamptz?
-- stock: order_id
-- again: outcome
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT @of(tenant) AS tenant, @of(order_id) AS order_id, l.* FROM @line
), seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
), need AS ( -- an item on two lines counts once, summed; as int4, for a sum of int8 is a numeric, and slow
	SELECT n, tenant, item, location, sum(qty::int4) AS qty
	  FROM l
	 WHERE (n IN (SELECT n FROM seen)) IS NOT TRUE
	 GROUP BY n, tenant, item, location
), offered AS MATERIALIZED (
	SELECT d.*, coalesce(s.on_hand - s.reserved - s.allocated - s.unavailable, 0) AS avail
	  FROM need d
	  LEFT JOIN stock s ON (s.tenant, s.item, s.location) = (d.tenant, d.item, d.location)
), scarce AS (
	SELECT tenant, item, location FROM offered GROUP BY tenant, item, location HAVING sum(qty) > min(avail)
), contested AS MATERIALIZED (
	SELECT n FROM offered WHERE ((tenant, item, location) IN (SELECT tenant, item, location FROM scarce)) IS TRUE
), single AS (
	SELECT *, bool_and(qty <= avail) OVER (PARTITION BY n) AS alone
	  FROM offered
	 WHERE (n IN (SELECT n FROM contested)) IS TRUE
), summed AS (
	SELECT *, sum(qty) FILTER (WHERE alone) OVER (PARTITION BY tenant, item, location ORDER BY n) AS upto FROM single
), judged AS (
	SELECT *, bool_and(alone AND upto <= avail) OVER (PARTITION BY n) AS granted FROM summed
), ruled AS MATERIALIZED (
	SELECT n, item, location, qty, true AS granted, avail AS left_qty
	  FROM offered
	 WHERE (n IN (SELECT n FROM contested)) IS NOT TRUE
	UNION ALL
	SELECT n, item, location, qty, granted,
	       avail - coalesce(sum(qty) FILTER (WHERE granted) OVER (PARTITION BY tenant, item, location), 0)
	  FROM judged
), request_rows AS ( -- sorted: two batches never wait for each other on the unique index
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, order_id
	  FROM h
	 WHERE (n IN (SELECT n FROM ruled WHERE granted)) IS TRUE
	 ORDER BY tenant, request_method, request_key
	    ON CONFLICT DO NOTHING
	RETURNING resource
), won AS MATERIALIZED (
	SELECT *, nextval('order_number') AS number FROM h WHERE (order_id IN (SELECT resource FROM request_rows)) IS TRUE
), shares AS MATERIALIZED (
	SELECT * FROM l WHERE (n IN (SELECT n FROM won)) IS TRUE
), contact_rows AS (
	INSERT INTO contact (tenant, id, sealed) SELECT tenant, contact_id, sealed FROM won
), order_rows AS (
	INSERT INTO orders (tenant, id, number, state, payment_state, fulfillment_state, version, groups, currency,
	                    total_minor, customer, channel, reference, contact_id, expires_at, wait_for_payment,
	                    ship_service, notify, trace)
	SELECT tenant, order_id, number, 'pending', 'pending', 'unfulfilled', 1, groups, currency,
	       total_minor, customer, channel, reference, contact_id, now() + make_interval(secs => expires_s),
	       wait_for_payment, ship_service, notify, trace
	  FROM won
), line_rows AS ( -- ordered from the line, reserved from its shares: the constraint compares them
	INSERT INTO order_line (tenant, order_id, line, item, unit_minor, ordered, reserved)
	SELECT tenant, order_id, line, item, unit_minor, sum(ordered::int4), sum(qty::int4)
	  FROM shares
	 GROUP BY n, tenant, order_id, line, item, unit_minor
), reservation_rows AS (
	INSERT INTO reservation (tenant, order_id, line, location, item, group_no, qty, state)
	SELECT tenant, order_id, line, location, item, group_no, qty, 'held' FROM shares
), movement_rows AS (
	INSERT INTO stock_movement (tenant, cause, n, order_id, line, item, location, from_bucket, to_bucket, qty)
	SELECT tenant, order_id, row_number() OVER (PARTITION BY n ORDER BY line, location),
	       order_id, line, item, location, 'unassigned', 'reserved', qty
	  FROM shares
), payment_rows AS (
	INSERT INTO payment (tenant, order_id, group_no, location, state, amount_minor, currency, method_token, fallback_methods)
	SELECT tenant, order_id, group_no, location, 'pending', group_minor, @of(currency), @of(method_token),
	       coalesce(string_to_array(nullif(@of(fallback_methods), ''), E'\n'), '{}')
	  FROM shares l
	 WHERE group_minor IS NOT NULL
), job_rows AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind)
	SELECT job_id, tenant, order_id, group_no, 'payment.authorize' FROM shares WHERE job_id IS NOT NULL
), placed AS (
	SELECT tenant, order_id, 1 AS seq, 'placed' AS kind, NULL AS from_state, 'pending' AS to_state, 0 AS group_no,
	       NULL AS detail, actor
	  FROM won
),
@silent_event(placed)
SELECT n, 'placed' AS outcome, NULL::int8 AS item, NULL::int8 AS left_qty, number, now() AS placed_at FROM won
UNION ALL
SELECT n, CASE WHEN granted THEN 'seen' WHEN bool_or(qty > left_qty) THEN 'short' ELSE 'again' END,
       min(item) FILTER (WHERE qty > left_qty),
       (array_agg(left_qty::int8 ORDER BY item, location) FILTER (WHERE qty > left_qty))[1], NULL, NULL
  FROM ruled
 WHERE (n IN (SELECT n FROM won)) IS NOT TRUE
 GROUP BY n, granted
UNION ALL
SELECT n, 'seen', NULL, NULL, NULL, NULL FROM seen
 ORDER BY n
