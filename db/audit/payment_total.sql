-- The payments of an order and what no payment is for are its total, in its currency, one payment per shipment group.
SELECT o.tenant, o.id, o.total_minor, o.uncovered_minor, o.groups, sum(p.amount_minor) AS payments,
       count(p.group_no) AS payment_groups
  FROM orders o
  LEFT JOIN payment p ON (p.tenant, p.order_id, p.currency) = (o.tenant, o.id, o.currency)
 GROUP BY o.tenant, o.id, o.total_minor, o.uncovered_minor, o.groups
HAVING o.total_minor <> coalesce(sum(p.amount_minor), 0) + o.uncovered_minor OR o.groups <> count(p.group_no)
