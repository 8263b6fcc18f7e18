-- The parcel of one group has its label; taking the money is next.
-- unit: label_bought   lane: job   rank: 43
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, carrier text, service text
-- head: tracking_code text, tracker_id text?, label_url text, rate_minor int8, next_job uuid
-- answer: ordinal int8, version int8, job_id uuid, kind text
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state AS from_state, x.state AS to_state, x.payment_state, x.fulfillment_state,
	       x.version + 1 AS seq, x.version + 1 AS version,
	       'label_bought' AS kind, h.tracking_code AS detail, 'shipping' AS actor,
	       'payment.capture' AS next_kind, 1 AS priority, now() AS run_at
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND s.state = 'label_intent'
),
@settle_job(fact),
@order_step(settled),
@event(settled),
@next_job(settled),
labelled AS (
	UPDATE shipment s SET state = 'labelled', carrier = w.carrier, service = w.service, tracking_code = w.tracking_code,
	                      tracker_id = w.tracker_id, label_url = w.label_url, rate_minor = w.rate_minor, updated_at = now()
	FROM settled w WHERE (s.tenant, s.order_id, s.group_no) = (w.tenant, w.order_id, w.group_no)
)
SELECT n, version, next_job, next_kind FROM settled ORDER BY n
