#!lua
-- Make one shard's streams and groups and write the generation, last: who sees it may rely on them.
--
-- KEYS: generation, then all streams of the shard
-- ARGV: generation
-- Answer: 1 if the shard was made now
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return 0
end
for i = 2, #KEYS do
	local made = redis.pcall('XGROUP', 'CREATE', KEYS[i], 'w', '0', 'MKSTREAM')
	if made.err and string.sub(made.err, 1, 9) ~= 'BUSYGROUP' then
		return made
	end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
