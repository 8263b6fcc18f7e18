-- The payments of an order are its total, in its currency, one per shipment group.
SELECT o.tenant, o.id, o.total_minor, o.groups, sum(p.amount_minor) AS payments, count(p.group_no) AS payment_groups
  FROM orders o
  LEFT JOIN payment p ON (p.tenant, p.order_id, p.currency) = (o.tenant, o.id, o.currency)
 GROUP BY o.tenant, o.id, o.total_minor, o.groups
HAVING o.total_minor <> coalesce(sum(p.amount_minor), 0) OR o.groups <> count(p.group_no)
