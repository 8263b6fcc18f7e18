-- event(rows): appends to the timeline, and tells the customer where mail_template() has words for it and the order
-- wants mail: a notification and its job, which have the same id.  `rows` is a CTE with the columns named below; seq must
-- be orders.version after the change that the same statement makes, one number per event.
-- Nobody is handed the mails' jobs to ring them: the sweep does, and it may take its time.  They belong to group 0, so
-- that none is taken for a group's own work.
@silent_event($(1)),
mails AS MATERIALIZED (
	SELECT e.tenant, e.order_id, e.group_no, e.seq, mail_template(e.kind, e.detail) AS template, child_id(e.order_id) AS id
	FROM $(1) e JOIN orders x ON (x.tenant, x.id) = (e.tenant, e.order_id) AND x.notify
	WHERE mail_template(e.kind, e.detail) IS NOT NULL
),
mail_rows AS (
	INSERT INTO notification (tenant, id, order_id, group_no, seq, template)
	SELECT tenant, id, order_id, group_no, seq, template FROM mails
),
mail_jobs AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, priority)
	SELECT id, tenant, order_id, 0, 'notification.mail', 2 FROM mails
)
