-- Nobody pays more than agreed: what is taken for a group is at most what is held for it and what it costs, and what is taken
-- for an order at most its total.
SELECT tenant, order_id, group_no, amount_minor, authorized_minor, captured_minor
  FROM payment
 WHERE captured_minor < 0 OR captured_minor > least(authorized_minor, amount_minor)
UNION ALL
SELECT o.tenant, o.id, 0, o.total_minor, sum(p.authorized_minor)::bigint, sum(p.captured_minor)::bigint
  FROM orders o
  JOIN payment p ON (p.tenant, p.order_id) = (o.tenant, o.id)
 GROUP BY o.tenant, o.id, o.total_minor
HAVING sum(p.captured_minor) > o.total_minor
