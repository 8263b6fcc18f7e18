-- The money of one group was taken before, by an earlier job: a parcel that is labelled and that nobody is handing over,
-- because its label was bought anew, is handed over, at a manual location when somebody confirms it.  A row without a
-- job: it is under way, or is not ready yet.
-- unit: handover_due   lane: job   rank: 39
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, next_job uuid
-- answer: ordinal int8, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
@settle_job(h),
ready AS MATERIALIZED (
	SELECT w.*, 'shipping.handover' AS next_kind, 1 AS priority, now() AS run_at,
	       CASE f.fulfillment WHEN 'manual' THEN 'parked' ELSE 'ready' END AS next_state
	FROM settled w
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no) AND p.state = 'captured'
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (w.tenant, w.order_id, w.group_no) AND s.state = 'labelled'
	JOIN location f ON (f.tenant, f.location) = (s.tenant, s.location)
	WHERE NOT EXISTS (SELECT FROM job j WHERE (j.tenant, j.order_id) = (w.tenant, w.order_id) AND j.group_no = w.group_no
	                     AND j.kind = 'shipping.handover' AND j.state <> 'done')
),
@next_job_in(ready),
told AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.n, r.next_job, r.next_kind FROM settled w FULL JOIN ready r ON r.n = w.n
)
SELECT n, next_job, next_kind FROM told ORDER BY n
