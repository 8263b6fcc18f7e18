-- Whose object a provider's event is about, and the job that waits for such news.  No row: nobody's.
-- unit: webhook_find   lane: read   rank: 45
-- head: provider text, object_id text
-- answer: ordinal int8, tenant int4, order_id uuid, job_id uuid?
WITH h AS MATERIALIZED (SELECT * FROM @head),
@awaited(h)
SELECT n, found_tenant, found_order, found_job FROM awaited WHERE found_order IS NOT NULL ORDER BY n
