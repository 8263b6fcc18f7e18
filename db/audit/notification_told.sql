-- What the customer is to be told of has one notification, with the words of its event; one that is not through has its
-- job, unfinished, and one that was sent says when.
SELECT coalesce(e.tenant, m.tenant) AS tenant, coalesce(e.order_id, m.order_id) AS order_id, coalesce(e.seq, m.seq) AS seq,
       e.kind, m.id, m.template, m.state, j.state AS job
  FROM (SELECT e.*, mail_template(e.kind, e.detail) AS template
          FROM order_event e JOIN orders o ON (o.tenant, o.id) = (e.tenant, e.order_id) AND o.notify
         WHERE mail_template(e.kind, e.detail) IS NOT NULL) e
  FULL JOIN notification m ON (m.tenant, m.order_id, m.seq) = (e.tenant, e.order_id, e.seq)
  LEFT JOIN job j ON (j.id, j.tenant, j.order_id) = (m.id, m.tenant, m.order_id) AND j.kind = 'notification.mail'
 WHERE e.template IS DISTINCT FROM m.template
    OR e.group_no IS DISTINCT FROM m.group_no
    OR (m.state = 'queued') IS DISTINCT FROM (j.state <> 'done')
    OR (m.state = 'sent') IS DISTINCT FROM (m.sent_at IS NOT NULL)
