-- Each tenant's calls on record are one chain: no number is missing, each row's hash is over the row and the hash before it,
-- and the head is the last row.
SELECT tenant, seq, what
  FROM (SELECT r.tenant, r.seq,
               CASE WHEN r.seq <> 1 + lag(r.seq, 1, 0::bigint) OVER w THEN 'gap'
                    WHEN r.prev <> lag(r.hash, 1, decode(repeat('00', 32), 'hex')) OVER w THEN 'torn'
                    WHEN r.hash <> call_record_hash(r) THEN 'changed' END AS what
          FROM call_record r
        WINDOW w AS (PARTITION BY r.tenant ORDER BY r.seq)) links
 WHERE what IS NOT NULL
UNION ALL
SELECT coalesce(c.tenant, l.tenant), coalesce(c.seq, l.seq), 'head'
  FROM call_chain c
  FULL JOIN (SELECT DISTINCT ON (tenant) tenant, seq, hash FROM call_record ORDER BY tenant, seq DESC) l ON l.tenant = c.tenant
 WHERE (c.seq, c.hash) IS DISTINCT FROM (l.seq, l.hash)
