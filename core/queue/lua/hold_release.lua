#!lua flags=allow-oom
-- Give back what a hold took, where the numbers it was taken from are still there.
--
-- KEYS: expiries, hold, then the stock key of each line of the hold
-- ARGV: order, the hold as it was read ('' when it was gone), '1' only if its time is over
-- Answer: 1 if it was released now
local order, seen = ARGV[1], ARGV[2]

if ARGV[3] == '1' then
	local time = redis.call('TIME')
	local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
	local over_ms = redis.call('ZSCORE', KEYS[1], order)
	if not over_ms or tonumber(over_ms) > now_ms then
		return 0
	end
end
local hold = redis.call('GET', KEYS[2])
if not hold then
	redis.call('ZREM', KEYS[1], order)
	return 0
end
if hold ~= seen then
	return 0 -- taken anew since it was read; that one has a life of its own
end

local line = 2
for location, qty, stamp in string.gmatch(hold, ' %-?%d+:(%-?%d+):(%d+):(%S+)') do
	line = line + 1
	if redis.call('HGET', KEYS[line], 'stamp') == stamp then
		redis.call('HINCRBY', KEYS[line], location, qty)
	end
end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], order)
return 1
