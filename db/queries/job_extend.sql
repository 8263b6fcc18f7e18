-- A long job goes on: its lease is moved.  No row: the claim is no longer this worker's.
-- unit: job_extend   lane: job   rank: 12
-- keys: id(job_id)
-- locks: jobs
-- head: job_id uuid, epoch int8, lease_s int4
-- answer: ordinal int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
mine AS (
	UPDATE job j SET lease_until = clock_timestamp() + h.lease_s * interval '1 s'
	FROM h WHERE j.id = h.job_id AND j.epoch = h.epoch AND j.lease_until IS NOT NULL
	RETURNING h.n
)
SELECT n FROM mine ORDER BY n
