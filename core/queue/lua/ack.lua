#!lua flags=allow-oom
-- Entries are settled: take them off the consumer's list and off the stream, never one without the other.
--
-- KEYS: streams of one shard
-- ARGV: pairs: stream (1 = the first), entry
for a = 1, #ARGV, 2 do
	local stream = KEYS[tonumber(ARGV[a])]
	redis.call('XACK', stream, 'w', ARGV[a + 1])
	redis.call('XDEL', stream, ARGV[a + 1])
end
return #ARGV / 2
