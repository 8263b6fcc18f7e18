-- A stretch of a tenant's chain, the oldest first, behind `after`, as text: what is hashed (core/store/record_chain.h); and in
-- every row what the chain's head says, and how far older rows were removed ("seq:hash").  One statement, so one moment.
-- At least one row, so that it is known that there is none.
-- unit: call_verify   lane: read   rank: 61
-- head: tenant int4, after int8, most int4
-- answer: ordinal int8, tenant text?, seq text?, call_id text?, at_us text?, recorded_us text?, actor text?, role text?, peer text?
-- answer: method text?, request_key text?, object text?, status text?, reason text?, calls text?, trace text?, prev text?, hash text?
-- answer: head_seq int8?, head_hash text?, cut text?
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, r.tenant::text, r.seq::text, r.id::text, (extract(epoch FROM r.at) * 1000000)::int8::text,
       (extract(epoch FROM r.recorded_at) * 1000000)::int8::text, r.actor, r.role, r.peer, r.method, r.request_key, r.object,
       r.status::text, r.reason, r.calls::text, r.trace, encode(r.prev, 'hex'), encode(r.hash, 'hex'), c.seq, encode(c.hash, 'hex'), cut.object
FROM h
LEFT JOIN LATERAL (SELECT * FROM call_chain c WHERE c.tenant = h.tenant) c ON true
LEFT JOIN LATERAL (
	SELECT k.object FROM call_record k WHERE k.tenant = h.tenant AND k.method = 'retention'
	ORDER BY k.tenant DESC, k.method DESC, k.seq DESC LIMIT 1) cut ON true
LEFT JOIN LATERAL (
	SELECT * FROM call_record d WHERE d.tenant = h.tenant AND d.seq > h.after ORDER BY d.tenant, d.seq LIMIT h.most) r ON true
ORDER BY h.n, r.seq
