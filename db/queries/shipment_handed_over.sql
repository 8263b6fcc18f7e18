-- The carrier has the parcel of one group: its goods leave the stock, tracking is next.
-- waiting: it is not paid for, or has no label just now (one is being given back); a parcel never leaves before its
-- money.  Then the job comes back in delay_ms with its attempts forgotten.  No row: the claim is stale.
-- unit: shipment_handed_over   lane: order   rank: 44
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, next_job uuid, track_delay_ms int8, delay_ms int8
-- answer: ordinal int8, outcome text, version int8, job_id uuid?, kind text?
-- stock: job_id
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state AS from_state, x.state AS to_state, x.payment_state,
	       CASE WHEN line.delivered > 0 THEN 'partially_delivered' WHEN line.here = goods.qty THEN 'shipped'
	            ELSE 'partially_shipped' END AS fulfillment_state,
	       x.version + 1 AS seq, x.version + 1 AS version, 'shipped' AS kind, NULL AS detail, 'shipping' AS actor,
	       'shipping.track' AS next_kind, 1 AS priority, now() + h.track_delay_ms * interval '1 ms' AS run_at,
	       p.state = 'captured' AND s.state = 'labelled' AS leaves
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (h.tenant, h.order_id, h.group_no)
	CROSS JOIN LATERAL (
		SELECT sum(l.delivered) AS delivered, sum(l.ordered - l.shipped - l.delivered - l.cancelled - l.returned) AS here
		FROM order_line l WHERE (l.tenant, l.order_id) = (h.tenant, h.order_id)) line
	CROSS JOIN LATERAL (
		SELECT sum(r.qty) AS qty FROM reservation r
		WHERE (r.tenant, r.order_id) = (h.tenant, h.order_id) AND r.group_no = h.group_no AND r.state = 'committed') goods
),
leaving AS MATERIALIZED (SELECT * FROM fact WHERE leaves),
waiting AS MATERIALIZED (SELECT * FROM fact WHERE NOT leaves),
@settle_job(leaving),
@retry_job(waiting, 0, 'not paid for, or without a label'),
@order_step(settled),
@event(settled),
@next_job(settled, NULL),
gone AS (
	UPDATE shipment s SET state = 'handed_over', updated_at = now()
	FROM settled w WHERE (s.tenant, s.order_id, s.group_no) = (w.tenant, w.order_id, w.group_no)
),
closed AS (
	UPDATE fulfillment_order f SET state = 'closed', updated_at = now()
	FROM settled w WHERE (f.tenant, f.order_id, f.group_no) = (w.tenant, w.order_id, w.group_no)
),
shares AS MATERIALIZED (
	SELECT w.tenant, w.job_id AS cause, w.order_id, w.group_no, r.line, r.item, r.location, r.qty
	FROM settled w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id)
	 AND r.group_no = w.group_no AND r.state = 'committed'
),
@move_units(shares, packed, shipped),
left_stock AS (
	UPDATE reservation r SET state = 'shipped' FROM shares s
	WHERE (r.tenant, r.order_id, r.line, r.location, r.group_no) = (s.tenant, s.order_id, s.line, s.location, s.group_no)
)
SELECT n, 'handed_over', version, next_job, next_kind FROM settled
UNION ALL
SELECT n, 'waiting', version - 1, NULL, NULL FROM retried
ORDER BY 1
