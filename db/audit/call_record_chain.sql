-- Each tenant's calls on record are one chain: no number is missing, each row's hash is over the row and the hash before it,
-- and the head is the last row.  It begins with the first, or behind what its latest row of the method `retention` names.
WITH cut AS MATERIALIZED (
	SELECT DISTINCT ON (tenant) tenant, split_part(object, ':', 1)::bigint AS seq, decode(split_part(object, ':', 2), 'hex') AS hash
	  FROM call_record
	 WHERE method = 'retention' AND object ~ '^[0-9]{1,18}:[0-9a-f]{64}$'
	 ORDER BY tenant, seq DESC
)
SELECT tenant, seq, what
  FROM (SELECT r.tenant, r.seq,
               CASE WHEN r.seq <> 1 + coalesce(lag(r.seq) OVER w, cut.seq, 0) THEN 'gap'
                    WHEN r.prev <> coalesce(lag(r.hash) OVER w, cut.hash, decode(repeat('00', 32), 'hex')) THEN 'torn'
                    WHEN r.hash <> call_record_hash(r) THEN 'changed' END AS what
          FROM call_record r
          LEFT JOIN cut ON cut.tenant = r.tenant
        WINDOW w AS (PARTITION BY r.tenant ORDER BY r.seq)) links
 WHERE what IS NOT NULL
UNION ALL
SELECT coalesce(c.tenant, l.tenant), coalesce(c.seq, l.seq), 'head'
  FROM call_chain c
  FULL JOIN (SELECT DISTINCT ON (tenant) tenant, seq, hash FROM call_record ORDER BY tenant, seq DESC) l ON l.tenant = c.tenant
 WHERE (c.seq, c.hash) IS DISTINCT FROM (l.seq, l.hash)
