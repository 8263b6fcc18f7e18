-- Every attempt that says money is held or taken is a payment that the gateway holds or took money for, as far as the gateway
-- was read.  What happened shortly before it was read, or lies where the reading began, is left for the next one.
SELECT a.tenant, a.order_id, a.group_no, a.id, a.gateway_id, a.state, g.status
  FROM gateway_walk w
  JOIN payment_attempt a ON a.state IN ('authorized', 'captured') AND a.created_at > w.walked_since + interval '1 hour'
   AND a.updated_at < w.walked_until - interval '5 minutes'
  LEFT JOIN gateway_payment g ON g.id = a.gateway_id
 WHERE g.id IS NULL
    OR (g.held_minor + g.captured_minor = 0
        AND g.changed_at < now() - interval '15 minutes' AND a.updated_at < g.seen_at - interval '5 minutes')
