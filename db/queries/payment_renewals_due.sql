-- Authorizations of confirmed orders that end soon get a job that renews them, of all tenants; the first to end first.
-- One whose whole life is short is renewed in its second half, so that renewing it comes to an end.  Two sweeps at the
-- same moment may make two jobs of a payment; the later one finds nothing to do.
-- A row per job; asked again, none.
-- unit: payment_renewals_due   lane: job   rank: 38
-- head: ahead_s int8, most int4
-- answer: ordinal int8, job_id uuid
WITH h AS MATERIALIZED (SELECT *, now() + ahead_s * interval '1 s' AS until FROM @head),
due AS MATERIALIZED (
	SELECT h.n, d.tenant, d.order_id, d.group_no, child_id(d.order_id) AS next_job, 'payment.renew' AS next_kind,
	       1 AS priority, now() AS run_at
	FROM h CROSS JOIN LATERAL (
		SELECT p.tenant, p.order_id, p.group_no
		FROM payment p
		JOIN orders x ON (x.tenant, x.id) = (p.tenant, p.order_id) AND x.state = 'confirmed'
		JOIN payment_attempt a ON (a.tenant, a.order_id, a.group_no) = (p.tenant, p.order_id, p.group_no)
		 AND a.state = 'authorized'
		WHERE p.authorized_until < h.until AND p.state = 'authorized'
		  AND now() > a.updated_at + (p.authorized_until - a.updated_at) / 2
		  AND NOT EXISTS (SELECT FROM job j
		                   WHERE (j.tenant, j.order_id) = (p.tenant, p.order_id) AND j.group_no = p.group_no
		                     AND j.kind = 'payment.renew' AND j.state <> 'done')
		ORDER BY p.authorized_until LIMIT h.most) d
),
@next_job(due, NULL)
SELECT n, next_job FROM due ORDER BY n
