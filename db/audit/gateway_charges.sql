-- Every payment that the gateway holds or took money for is an attempt of ours: in its currency, for what it was authorized
-- for, and what was taken is what we wrote.  Where the two stand is compared only when neither has moved for a while: a
-- call that is under way, or an answer that got lost, is no wrong yet.
SELECT a.tenant, a.order_id, a.group_no, g.id, g.attempt_id, g.status, a.state, g.currency, p.currency AS our_currency,
       g.amount_minor, t.amount_minor AS authorized, g.captured_minor, c.amount_minor AS captured
  FROM gateway_payment g
  LEFT JOIN payment_attempt a ON a.id = g.attempt_id
  LEFT JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (a.tenant, a.order_id, a.group_no)
  LEFT JOIN payment_transaction t ON (t.tenant, t.attempt_id, t.kind) = (a.tenant, a.id, 'authorize')
  LEFT JOIN payment_transaction c ON (c.tenant, c.attempt_id, c.kind) = (a.tenant, a.id, 'capture')
 WHERE g.held_minor + g.captured_minor > 0
   AND (a.id IS NULL OR a.gateway_id <> g.id OR p.currency <> g.currency OR t.amount_minor <> g.amount_minor
        OR (g.captured_minor > 0 AND c.amount_minor <> g.captured_minor)
        OR (a.state <> CASE WHEN g.captured_minor > 0 THEN 'captured' ELSE 'authorized' END
            AND g.changed_at < now() - interval '15 minutes' AND a.updated_at < g.seen_at - interval '5 minutes'))
