-- The parcel of one group has its label: live in `shipment`, kept for ever in shipment_label, with the offers it was
-- chosen from.  Taking the money is next, unless that is done or under way: a label bought again does not pay again.
-- A detail row is an offer; one of them is the chosen one.
-- unit: label_bought   lane: job   rank: 43
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, carrier text, service text
-- head: tracking_code text, tracking_url text?, tracker_id text?, label_url text, rate_minor int8, currency text, next_job uuid
-- line: rate_id text, carrier text, service text, rate_minor int8, currency text, delivery_days int8?, chosen bool
-- answer: ordinal int8, version int8, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
fact AS MATERIALIZED (
	SELECT h.*, x.state AS from_state, x.state AS to_state, x.payment_state, x.fulfillment_state,
	       x.version + 1 AS seq, x.version + 1 AS version, s.id AS shipment_id, s.remote_id,
	       'label_bought' AS kind, h.tracking_code AS detail, 'shipping' AS actor,
	       'payment.capture' AS next_kind, 1 AS priority, now() AS run_at,
	       p.state <> 'captured' AND NOT EXISTS (
			SELECT FROM job j
			WHERE (j.tenant, j.order_id) = (h.tenant, h.order_id) AND j.group_no = h.group_no AND j.state <> 'done'
			  AND j.kind IN ('payment.capture', 'shipping.handover')) AS pays
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND s.state = 'label_intent'
),
@settle_job(fact),
@order_step(settled),
@event(settled),
@hold_release(settled, shipping),
paying AS MATERIALIZED (SELECT * FROM settled WHERE pays),
@next_job(paying, NULL),
labelled AS (
	UPDATE shipment s SET state = 'labelled', carrier = w.carrier, service = w.service, tracking_code = w.tracking_code,
	                      tracking_url = w.tracking_url, tracker_id = w.tracker_id, label_url = w.label_url,
	                      rate_minor = w.rate_minor, currency = w.currency, updated_at = now()
	FROM settled w WHERE (s.tenant, s.order_id, s.group_no) = (w.tenant, w.order_id, w.group_no)
),
label_rows AS (
	INSERT INTO shipment_label (tenant, remote_id, shipment_id, carrier, service, tracking_code, rate_minor, currency)
	SELECT tenant, remote_id, shipment_id, carrier, service, tracking_code, rate_minor, currency FROM settled
),
offered AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.tenant, w.shipment_id, l.rate_id, l.carrier, l.service, l.rate_minor, l.currency, l.delivery_days, l.chosen
	FROM settled w FULL JOIN l ON l.n = w.n
),
rate_rows AS (
	INSERT INTO shipment_rate (tenant, shipment_id, rate_id, carrier, service, rate_minor, currency, delivery_days, chosen)
	SELECT tenant, shipment_id, rate_id, carrier, service, rate_minor, currency, delivery_days::int, chosen
	FROM offered WHERE tenant IS NOT NULL AND rate_id IS NOT NULL
	ORDER BY tenant, shipment_id, rate_id, chosen DESC
	ON CONFLICT DO NOTHING
)
SELECT n, version, CASE WHEN pays THEN next_job END, CASE WHEN pays THEN next_kind END FROM settled ORDER BY n
