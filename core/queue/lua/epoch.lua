#!lua
-- Write the epoch of a stock pool if it is another one.
--
-- KEYS: epoch
-- ARGV: epoch
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
