-- Calls on record leave that are older than they are kept: of one chain, at most `most` (call_record_cut(), migration 0016).
-- Locks that chain's head.  Answers how many went.
-- unit: call_record_cut   lane: job   rank: 62
-- head: keep_days int4, most int4
-- answer: ordinal int8, gone int8
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT n, call_record_cut(keep_days, most) FROM h ORDER BY n
