-- Where the chains of recorded calls end, for somebody else to keep.
-- unit: call_heads   lane: read   rank: 59
-- head: most int4
-- answer: ordinal int8, tenant int4, seq int8, hash bytea
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, d.tenant, d.seq, d.hash FROM h CROSS JOIN LATERAL (
	SELECT * FROM call_chain c ORDER BY c.tenant LIMIT h.most) d
ORDER BY h.n, d.tenant
