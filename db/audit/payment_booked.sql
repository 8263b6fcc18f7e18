-- A payment's sums are what was transacted for it: authorized is what the attempt that holds or took the money was
-- authorized for, captured is what was taken.  Nobody took more than was authorized, and an end of an authorization is
-- known only while there is one.
SELECT p.tenant, p.order_id, p.group_no, p.state, p.authorized_minor, p.captured_minor, t.authorized, t.captured
  FROM payment p
  LEFT JOIN (SELECT t.tenant, t.order_id, t.group_no,
                    sum(t.amount_minor) FILTER (WHERE t.kind = 'authorize' AND a.state IN ('authorized', 'captured')) AS authorized,
                    sum(t.amount_minor) FILTER (WHERE t.kind = 'capture') AS captured
               FROM payment_transaction t
               LEFT JOIN payment_attempt a ON (a.tenant, a.id) = (t.tenant, t.attempt_id)
              GROUP BY t.tenant, t.order_id, t.group_no) t USING (tenant, order_id, group_no)
 WHERE (p.authorized_minor, p.captured_minor) <> (coalesce(t.authorized, 0), coalesce(t.captured, 0))
    OR p.captured_minor > p.authorized_minor
    OR (p.state = 'captured' AND t.captured IS NULL)
    OR (p.state IN ('pending', 'unknown', 'requires_action', 'declined', 'voided') AND t.authorized IS NOT NULL)
    OR (p.state <> 'authorized' AND p.authorized_until IS NOT NULL)
