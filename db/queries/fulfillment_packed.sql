-- The goods of one group are in the parcel; from here the order can no longer be cancelled.  The shipment is planned
-- and its label is next.  moot: the order is given up, the job just ends.
-- unit: fulfillment_packed   lane: job   rank: 41
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, shipment_id uuid, next_job uuid, sscc_prefix text
-- answer: ordinal int8, outcome text, version int8, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state = 'confirmed' AS goes_on, x.state AS from_state, x.state AS to_state, x.payment_state,
	       x.fulfillment_state, x.version + 1 AS seq, x.version + (x.state = 'confirmed')::int AS version,
	       'packed' AS kind, NULL AS detail, 'fulfillment' AS actor, p.location, 0 AS weight_g,
	       'shipping.label' AS next_kind, 1 AS priority, now() AS run_at
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
),
@settle_job(fact),
packed AS MATERIALIZED (SELECT * FROM settled WHERE goes_on),
@order_step(packed),
@event(packed),
@parcel_plan(packed, NULL)
SELECT n, CASE WHEN goes_on THEN 'packed' ELSE 'moot' END, version,
       CASE WHEN goes_on THEN next_job END, CASE WHEN goes_on THEN next_kind END
FROM settled ORDER BY n
