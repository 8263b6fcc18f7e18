-- retry_at(delay_ms): when job j, which puts itself off, is due again: after the delay, or at once when news came for it
-- during this very claim (webhook_received); it may have asked just before.  now() is the transaction's.
now() + CASE j.nudged_epoch WHEN j.epoch THEN 0 ELSE $(1) END * interval '1 ms'
