-- What an order's mail lists: the goods of one shipment group, or, for group 0, of the whole order.  The first `most`
-- lines; `lines` says on each how many there are.
-- unit: mail_lines   lane: read   rank: 50
-- head: tenant int4, order_id uuid, group_no int2, most int4
-- answer: ordinal int8, line int4, title text, sku text, qty int8, unit_minor int8, lines int8
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, d.line, d.title, d.sku, d.qty, d.unit_minor, d.lines
FROM h CROSS JOIN LATERAL (
	SELECT g.line, i.title, i.sku, q.qty, g.unit_minor, count(*) OVER () AS lines
	FROM order_line g
	JOIN item i ON (i.tenant, i.item) = (g.tenant, g.item)
	CROSS JOIN LATERAL (
		SELECT CASE h.group_no WHEN 0 THEN g.ordered ELSE (
			SELECT sum(r.qty)::int8 FROM reservation r
			WHERE (r.tenant, r.order_id, r.line, r.group_no) = (g.tenant, g.order_id, g.line, h.group_no)
			  AND r.state <> 'released') END AS qty) q
	WHERE (g.tenant, g.order_id) = (h.tenant, h.order_id) AND q.qty > 0
	ORDER BY g.line LIMIT h.most) d
ORDER BY h.n, d.line
