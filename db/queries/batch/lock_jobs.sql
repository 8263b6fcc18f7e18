-- Locks the jobs this batch settles, sorted; after lock_orders.
-- shared: lock_jobs
-- columns: tenant int4, job_id uuid
SELECT 1
  FROM job j
  JOIN (SELECT DISTINCT job_id FROM @columns) k ON j.id = k.job_id
 ORDER BY j.id
   FOR NO KEY UPDATE OF j
