#!lua flags=no-writes
-- How far the group has come in each stream.
--
-- KEYS: streams of one shard
-- Answer: for each stream: last delivered entry id, entries not yet delivered.  Settled
-- entries are deleted, so what is on a stream and on no consumer's list is waiting.
local answer = {}

for _, stream in ipairs(KEYS) do
	local last, pending = '0-0', 0
	local groups = redis.pcall('XINFO', 'GROUPS', stream) -- an error: no such stream
	if not groups.err then
		for _, row in ipairs(groups) do
			local g = {}
			for i = 1, #row, 2 do
				g[row[i]] = row[i + 1]
			end
			if g.name == 'w' then
				last, pending = g['last-delivered-id'], g.pending
			end
		end
	end
	answer[#answer + 1] = last
	answer[#answer + 1] = math.max(0, redis.call('XLEN', stream) - pending)
end
return answer
