-- move_units(shares, from, to): units of order lines go from one bucket to another, in the ledger and on
-- the line.  A share is tenant, cause, order_id, line, item, location, qty.
moved AS (
	INSERT INTO stock_movement (tenant, cause, n, order_id, line, item, location, from_bucket, to_bucket, qty)
	SELECT tenant, cause, row_number() OVER (PARTITION BY tenant, cause ORDER BY line, location),
	       order_id, line, item, location, '$(2)', '$(3)', qty
	FROM $(1)
),
lined AS (
	UPDATE order_line l SET $(2) = l.$(2) - s.qty, $(3) = l.$(3) + s.qty
	FROM (SELECT tenant, order_id, line, sum(qty)::int8 AS qty FROM $(1) GROUP BY 1, 2, 3) s
	WHERE (l.tenant, l.order_id, l.line) = (s.tenant, s.order_id, s.line)
)
