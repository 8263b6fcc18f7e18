-- All that a mail says but its lines.
-- overtaken: it would tell of a payment what is not so any more.  A declined method after which another was tried, or
-- the order ended, is not told of: what came of it is.  So a customer hears once of one refusal.
-- unit: mail_find   lane: read   rank: 49
-- head: tenant int4, notification_id uuid
-- answer: ordinal int8, template text, state text, order_id uuid, group_no int2, kind text, detail text?
-- answer: number int8, groups int2, currency text, total_minor int8, sealed bytea?
-- answer: carrier text?, tracking_code text?, tracking_url text?, action_url text?, overtaken bool
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, m.template, m.state, m.order_id, m.group_no, e.kind, e.detail,
       x.number, x.groups, x.currency, x.total_minor, c.sealed,
       s.carrier, s.tracking_code, s.tracking_url, a.action_url,
       CASE WHEN e.kind NOT IN ('payment_declined', 'payment_action_required') THEN false
            ELSE x.state NOT IN ('pending', 'confirmed')
              OR p.state IS DISTINCT FROM CASE e.kind WHEN 'payment_declined' THEN 'declined' ELSE 'requires_action' END
              OR EXISTS (SELECT FROM order_event later
                          WHERE (later.tenant, later.order_id) = (m.tenant, m.order_id) AND later.seq > m.seq
                            AND later.group_no = m.group_no AND later.kind = e.kind) END
FROM h
JOIN notification m ON (m.tenant, m.id) = (h.tenant, h.notification_id)
JOIN order_event e ON (e.tenant, e.order_id, e.seq) = (m.tenant, m.order_id, m.seq)
JOIN orders x ON (x.tenant, x.id) = (m.tenant, m.order_id)
LEFT JOIN contact c ON (c.tenant, c.id) = (x.tenant, x.contact_id)
LEFT JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (m.tenant, m.order_id, m.group_no)
LEFT JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (m.tenant, m.order_id, m.group_no)
LEFT JOIN LATERAL (
	SELECT t.action_url FROM payment_attempt t
	WHERE (t.tenant, t.order_id, t.group_no) = (m.tenant, m.order_id, m.group_no) AND t.state = 'requires_action'
	ORDER BY t.n DESC LIMIT 1) a ON true
ORDER BY h.n
