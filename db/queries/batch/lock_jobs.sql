-- Locks the jobs this batch settles, sorted; after lock_orders.
-- shared: lock_jobs
-- columns: job_id uuid
SELECT 1
  FROM job j
  JOIN (SELECT DISTINCT * FROM @columns) k ON j.id = k.job_id
 ORDER BY j.id
   FOR NO KEY UPDATE OF j
