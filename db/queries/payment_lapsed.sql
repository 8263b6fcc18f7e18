-- The gateway holds the money of one group no longer: the authorization was let go because its end is near, or has
-- ended by itself.  The payment is to be authorized anew.  The job that found out is done (renew), or comes back in
-- delay_ms as if it had not been tried (capture).
-- moot: no money of a confirmed order was held under this attempt; only the job is seen to.
-- unit: payment_lapsed   lane: job   rank: 36
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_ref text
-- head: next_job uuid, delay_ms int8?
-- answer: ordinal int8, outcome text, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state AS from_state, x.state AS to_state, x.fulfillment_state, after.payment_state, p.authorized_minor,
	       x.version + 1 AS seq, x.version + 1 AS version, 'payment_lapsed' AS kind, NULL AS detail, 'payment' AS actor,
	       'payment.authorize' AS next_kind, 1 AS priority, now() AS run_at,
	       CASE WHEN x.state = 'confirmed' AND p.state = 'authorized' AND a.state = 'authorized' THEN 'lapsed'
	            ELSE 'moot' END AS outcome
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no)
	CROSS JOIN @payments_after(h, 'pending') after
),
ended AS MATERIALIZED (SELECT * FROM fact WHERE delay_ms IS NULL),
returning_later AS MATERIALIZED (SELECT * FROM fact WHERE delay_ms IS NOT NULL),
@settle_job(ended),
@retry_job(returning_later, j.attempts - 1, 'the authorization has ended'),
ruled AS MATERIALIZED (SELECT * FROM settled UNION ALL SELECT * FROM retried),
lapsed AS MATERIALIZED (SELECT * FROM ruled WHERE outcome = 'lapsed'),
@order_step(lapsed),
@event(lapsed),
@next_job(lapsed, NULL),
let_go AS (
	UPDATE payment p SET state = 'pending', authorized_minor = 0, authorized_until = NULL
	FROM lapsed w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'voided', updated_at = now()
	FROM lapsed w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
transacted AS (
	INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
	SELECT tenant, attempt_id, 'void', order_id, group_no, authorized_minor, gateway_ref FROM lapsed
)
SELECT n, outcome, CASE outcome WHEN 'lapsed' THEN next_job END, CASE outcome WHEN 'lapsed' THEN next_kind END
FROM ruled ORDER BY n
