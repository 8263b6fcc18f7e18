-- What became of a mail, whose job is done with it: sent, refused by the mail server, or suppressed.
-- unit: mail_recorded   lane: job   rank: 50
-- keys: id(job_id)
-- locks: jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, outcome text, detail text?
-- answer: ordinal int8, template text
WITH h AS MATERIALIZED (SELECT * FROM @head),
@settle_job(h),
told AS (
	UPDATE notification m SET state = w.outcome, detail = w.detail,
	                          sent_at = CASE w.outcome WHEN 'sent' THEN now() END
	FROM settled w WHERE (m.tenant, m.id) = (w.tenant, w.job_id)
	RETURNING w.n, m.template
)
SELECT n, template FROM told ORDER BY n
