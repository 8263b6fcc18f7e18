-- A payment's sums are what was transacted for it, and nobody took more than was authorized.
SELECT p.tenant, p.order_id, p.group_no, p.state, p.authorized_minor, p.captured_minor, t.authorized, t.captured
  FROM payment p
  LEFT JOIN (SELECT tenant, order_id, group_no,
                    sum(amount_minor) FILTER (WHERE kind = 'authorize') AS authorized,
                    sum(amount_minor) FILTER (WHERE kind = 'capture') AS captured
               FROM payment_transaction
              GROUP BY tenant, order_id, group_no) t USING (tenant, order_id, group_no)
 WHERE (p.authorized_minor, p.captured_minor) <> (coalesce(t.authorized, 0), coalesce(t.captured, 0))
    OR p.captured_minor > p.authorized_minor
    OR (p.state = 'captured' AND t.captured IS NULL)
    OR (p.state IN ('pending', 'unknown', 'declined') AND t.authorized IS NOT NULL)
