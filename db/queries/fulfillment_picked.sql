-- The goods of one group are off the shelf; packing is next.  moot: the order is given up, the job just ends.
-- unit: fulfillment_picked   lane: job   rank: 40
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, next_job uuid
-- answer: ordinal int8, outcome text, version int8, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state = 'confirmed' AS goes_on, x.state AS from_state, x.state AS to_state, x.payment_state,
	       x.fulfillment_state, x.version + 1 AS seq, x.version + (x.state = 'confirmed')::int AS version,
	       'picked' AS kind, NULL AS detail, 'fulfillment' AS actor,
	       'fulfillment.pack' AS next_kind, 1 AS priority, now() AS run_at
	FROM h JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
),
@settle_job(fact),
picked AS MATERIALIZED (SELECT * FROM settled WHERE goes_on),
@order_step(picked),
@event(picked),
@next_job(picked, NULL),
picked_orders AS (
	UPDATE fulfillment_order f SET state = 'picked', updated_at = now()
	FROM picked w WHERE (f.tenant, f.order_id, f.group_no) = (w.tenant, w.order_id, w.group_no)
),
shares AS MATERIALIZED (
	SELECT w.tenant, w.job_id AS cause, w.order_id, r.line, r.item, r.location, r.qty
	FROM picked w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id)
	 AND r.group_no = w.group_no AND r.state = 'committed'
),
@move_units(shares, allocated, picked)
SELECT n, CASE WHEN goes_on THEN 'picked' ELSE 'moot' END, version,
       CASE WHEN goes_on THEN next_job END, CASE WHEN goes_on THEN next_kind END
FROM settled ORDER BY n
