#!lua flags=allow-oom
-- Every start of a worker makes a consumer; forget those long silent who hold nothing.
--
-- KEYS: stream
-- ARGV: silent for this many ms
local gone = 0

for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'w')) do
	local c = {}
	for i = 1, #row, 2 do
		c[row[i]] = row[i + 1]
	end
	if c.pending == 0 and c.idle > tonumber(ARGV[1]) then
		redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'w', c.name)
		gone = gone + 1
	end
end
return gone
