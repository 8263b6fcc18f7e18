-- release(w): takes back all that the orders of CTE w (n, tenant, order_id, cause) have of stock: every unit that is
-- not yet in a parcel becomes cancelled, with one movement per place and bucket, and its reservation is released.
-- Where the units are is read from the ledger: a line over two locations may be picked at one and not at the other.
-- Units without a place (unassigned, backordered) move at location 0.  The work of its locations ends too: fulfilment
-- orders are cancelled, their jobs that nobody has taken are done (the epoch rises, so that nobody can), holds are
-- released, but for that of another dead job.  The kind that includes this locks `orders` and names the cause as `stock`.
held_units AS MATERIALIZED (
	SELECT w.tenant, w.order_id, w.cause, m.line, m.item, m.location, b.bucket, sum(b.qty) AS qty
	  FROM $(1) w
	  JOIN stock_movement m ON (m.tenant, m.order_id) = (w.tenant, w.order_id)
	 CROSS JOIN LATERAL (VALUES (m.to_bucket, m.qty), (m.from_bucket, -m.qty)) b(bucket, qty)
	 WHERE b.bucket IN ('reserved', 'allocated', 'picked')
	 GROUP BY w.tenant, w.order_id, w.cause, m.line, m.item, m.location, b.bucket
	HAVING sum(b.qty) > 0
	UNION ALL
	SELECT w.tenant, w.order_id, w.cause, g.line, g.item, 0, b.bucket, b.qty
	  FROM $(1) w
	  JOIN order_line g ON (g.tenant, g.order_id) = (w.tenant, w.order_id)
	 CROSS JOIN LATERAL (VALUES ('unassigned', g.unassigned), ('backordered', g.backordered)) b(bucket, qty)
	 WHERE b.qty > 0
), released_units AS (
	INSERT INTO stock_movement (tenant, cause, n, order_id, line, item, location, from_bucket, to_bucket, qty)
	SELECT tenant, cause, row_number() OVER (PARTITION BY tenant, cause ORDER BY line, location, bucket),
	       order_id, line, item, location, bucket, 'cancelled', qty
	  FROM held_units
), released_lines AS (
	UPDATE order_line g
	   SET cancelled = g.cancelled + g.unassigned + g.reserved + g.backordered + g.allocated + g.picked,
	       unassigned = 0, reserved = 0, backordered = 0, allocated = 0, picked = 0
	  FROM $(1) w
	 WHERE (g.tenant, g.order_id) = (w.tenant, w.order_id)
), released_reservations AS (
	UPDATE reservation r SET state = 'released'
	  FROM $(1) w
	 WHERE (r.tenant, r.order_id) = (w.tenant, w.order_id) AND r.state IN ('held', 'committed')
), released_work AS (
	UPDATE fulfillment_order f SET state = 'cancelled', updated_at = now()
	  FROM $(1) w
	 WHERE (f.tenant, f.order_id) = (w.tenant, w.order_id) AND f.state IN ('open', 'picked')
), released_jobs AS (
	UPDATE job j SET state = 'done', epoch = j.epoch + 1, done_at = now()
	  FROM $(1) w
	 WHERE (j.tenant, j.order_id) = (w.tenant, w.order_id) AND j.state <> 'done' AND j.state IN ('ready', 'parked', 'dead')
	   AND split_part(j.kind, '.', 1) = 'fulfillment'
), released_holds AS (
	UPDATE order_hold d SET released_at = now()
	  FROM $(1) w
	 WHERE (d.tenant, d.order_id) = (w.tenant, w.order_id) AND d.released_at IS NULL
	   AND (d.reason <> 'job_dead'
	        OR NOT EXISTS (SELECT FROM job j
	                        WHERE (j.tenant, j.order_id) = (d.tenant, d.order_id) AND j.group_no = d.group_no
	                          AND j.state NOT IN ('ready', 'running', 'parked', 'done') AND split_part(j.kind, '.', 1) <> 'fulfillment'))
)
