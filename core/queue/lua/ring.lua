#!lua
-- Put job ids on the streams of one shard.
--
-- KEYS: generation, then streams
-- ARGV: generation ('' = any), window, then pairs: stream (1 = the first), job
-- Answer: how many were put on each stream; empty when the generation is another one
local generation, window = ARGV[1], tonumber(ARGV[2])
local waiting, rung = {}, {}

if generation ~= '' and redis.call('GET', KEYS[1]) ~= generation then
	return {}
end
for i = 1, #KEYS - 1 do
	waiting[i], rung[i] = redis.call('XLEN', KEYS[1 + i]), 0
end
for a = 3, #ARGV, 2 do
	local s = tonumber(ARGV[a])
	if waiting[s] + rung[s] < window then
		redis.call('XADD', KEYS[1 + s], '*', 'j', ARGV[a + 1])
		rung[s] = rung[s] + 1
	end
end
return rung
