-- The carrier has answered about a label that was to be given back.  Taken back: the label is over and the parcel
-- waits for another one, whose job is next.  Refused, with the carrier's word why: the parcel keeps the label it has.
-- No row: the claim is stale.
-- unit: label_voided   lane: job   rank: 47
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, refused text?, next_job uuid
-- answer: ordinal int8, outcome text, version int8, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, s.id AS shipment_id, s.remote_id, x.state AS from_state, x.state AS to_state, x.payment_state,
	       x.fulfillment_state, x.version + 1 AS seq, x.version + 1 AS version,
	       CASE WHEN h.refused IS NULL THEN 'label_voided' ELSE 'label_void_refused' END AS kind,
	       coalesce(h.refused, s.tracking_code) AS detail, 'shipping' AS actor,
	       'shipping.label' AS next_kind, 1 AS priority, now() AS run_at
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND s.state = 'voiding'
),
@settle_job(fact),
@order_step(settled),
@event(settled),
taken_back AS MATERIALIZED (SELECT * FROM settled WHERE refused IS NULL),
@next_job(taken_back, NULL),
kept AS (
	UPDATE shipment s SET state = 'labelled', updated_at = now()
	FROM settled w WHERE (s.tenant, s.id) = (w.tenant, w.shipment_id) AND w.refused IS NOT NULL
),
bare AS (
	UPDATE shipment s SET state = 'planned', remote_id = NULL, tracker_id = NULL, carrier = NULL, service = NULL,
	                      tracking_code = NULL, tracking_url = NULL, label_url = NULL, rate_minor = NULL, currency = NULL,
	                      tracking_state = NULL, exception = NULL, updated_at = now()
	FROM taken_back w WHERE (s.tenant, s.id) = (w.tenant, w.shipment_id)
),
over AS (
	UPDATE shipment_label b SET voided_at = now()
	FROM taken_back w WHERE (b.tenant, b.remote_id) = (w.tenant, w.remote_id)
),
offers_gone AS (
	DELETE FROM shipment_rate r USING taken_back w WHERE (r.tenant, r.shipment_id) = (w.tenant, w.shipment_id)
)
SELECT n, CASE WHEN refused IS NULL THEN 'voided' ELSE 'kept' END, version,
       CASE WHEN refused IS NULL THEN next_job END, CASE WHEN refused IS NULL THEN next_kind END
FROM settled ORDER BY n
