-- A page of the gateway's payments, and where the walk is after it.  Without next_after it is over: whole, and then it is
-- known until when all payments were read, or given up.  What looks as it did is written again once an hour.
-- A walk that somebody else has moved meanwhile stays where it is; the payments are kept all the same.
-- unit: gateway_seen   lane: job   rank: 49
-- head: until timestamptz, after text, next_after text?, whole bool
-- line: id text, attempt_id uuid?, amount_minor int8, held_minor int8, captured_minor int8, currency text, status text
-- line: created_at timestamptz
-- answer: ordinal int8, walked_until timestamptz?
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
seen AS (
	INSERT INTO gateway_payment AS g
		(id, attempt_id, amount_minor, held_minor, captured_minor, currency, status, created_at)
	SELECT DISTINCT ON (id) id, attempt_id, amount_minor, held_minor, captured_minor, currency, status, created_at
	FROM l ORDER BY id
	    ON CONFLICT (id) DO UPDATE SET
		attempt_id = excluded.attempt_id, amount_minor = excluded.amount_minor, held_minor = excluded.held_minor,
		captured_minor = excluded.captured_minor, currency = excluded.currency, status = excluded.status, seen_at = now(),
		changed_at = CASE WHEN (g.attempt_id, g.amount_minor, g.held_minor, g.captured_minor, g.currency, g.status)
		                       IS DISTINCT FROM (excluded.attempt_id, excluded.amount_minor, excluded.held_minor,
		                                         excluded.captured_minor, excluded.currency, excluded.status)
		                  THEN now() ELSE g.changed_at END
	WHERE (g.attempt_id, g.amount_minor, g.held_minor, g.captured_minor, g.currency, g.status)
	      IS DISTINCT FROM (excluded.attempt_id, excluded.amount_minor, excluded.held_minor, excluded.captured_minor,
	                        excluded.currency, excluded.status)
	   OR g.seen_at < now() - interval '1 hour'
),
moved AS (
	UPDATE gateway_walk w SET
		since = CASE WHEN h.next_after IS NULL THEN NULL ELSE w.since END,
		until = CASE WHEN h.next_after IS NULL THEN NULL ELSE w.until END,
		after = coalesce(h.next_after, ''),
		walked_since = CASE WHEN h.whole THEN w.since ELSE w.walked_since END,
		walked_until = CASE WHEN h.whole THEN w.until ELSE w.walked_until END
	FROM h WHERE w.until = h.until AND w.after = h.after
	RETURNING h.n, w.walked_until
)
SELECT h.n, m.walked_until FROM h LEFT JOIN moved m USING (n) ORDER BY h.n
