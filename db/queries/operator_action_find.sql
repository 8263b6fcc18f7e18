-- What an earlier request of an operator came to.
-- unit: operator_action_find   lane: read   rank: 54
-- head: tenant int4, action_id uuid
-- answer: ordinal int8, jobs int8, more bool
SELECT h.n, a.jobs, a.more FROM @head JOIN operator_action a ON (a.tenant, a.id) = (h.tenant, h.action_id) ORDER BY h.n
