#!lua flags=no-writes
-- Orders whose holds are over, the oldest first.
--
-- KEYS: expiries
-- ARGV: at most this many
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

return redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', now_ms), 'BYSCORE', 'LIMIT', 0, ARGV[1])
