-- The gateway has let the money of one group go.  An order that waited for the last of it is cancelled; a confirmed one,
-- a group of which had nothing left to ship, goes on.  A payment of nothing for which nothing is held ends here as well.
-- unit: payment_voided   lane: job   rank: 34
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_ref text
-- answer: ordinal int8, version int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state AS from_state, s.to_state, x.fulfillment_state, after.payment_state, p.authorized_minor, p.state = 'authorized' AS held,
	       x.version + 1 AS seq, x.version + CASE s.to_state WHEN x.state THEN 1 ELSE 2 END AS version
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	LEFT JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state = 'authorized'
	CROSS JOIN @payments_after(h, 'voided') after
	CROSS JOIN LATERAL (SELECT CASE WHEN x.state = 'cancelling' AND after.none_open THEN 'cancelled'
	                                ELSE x.state END AS to_state) s
	WHERE (p.state = 'authorized' AND a.id IS NOT NULL)
	   OR (p.state IN ('pending', 'declined') AND p.amount_minor = 0
	       AND NOT EXISTS (SELECT FROM payment_attempt t
	                        WHERE (t.tenant, t.order_id, t.group_no) = (h.tenant, h.order_id, h.group_no)
	                          AND t.state IN ('intent', 'unknown', 'requires_action')))
),
@settle_job(fact),
@order_step(settled),
let_go AS (
	UPDATE payment p SET state = 'voided', authorized_minor = 0, authorized_until = NULL
	FROM settled w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'voided', updated_at = now()
	FROM settled w WHERE w.held AND (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
transacted AS (
	INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
	SELECT tenant, attempt_id, 'void', order_id, group_no, authorized_minor, gateway_ref FROM settled WHERE held
),
@hold_release(settled, payment),
told AS (
	SELECT tenant, order_id, seq, 'payment_voided' AS kind, from_state, from_state AS to_state, group_no,
	       NULL AS detail, 'payment' AS actor
	FROM settled
	UNION ALL
	SELECT tenant, order_id, version, to_state, from_state, to_state, 0, NULL, 'payment'
	FROM settled WHERE to_state <> from_state
),
@event(told)
SELECT n, version FROM settled ORDER BY n
