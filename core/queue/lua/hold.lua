#!lua
-- Hold the stock of all lines of one order, or of none.
--
-- KEYS: epoch, expiries, hold, then the stock key of each line (the same one may come twice)
-- ARGV: epoch, order, life of the hold in ms, life of a stock key in ms, tenant,
--       then of each line: item, location, quantity, what PostgreSQL has available
-- Answer: {0 taken | 1 held already | 2 short | 3 stale, line (from 0), available there}
--
-- A stock key belongs to an epoch and a moment of loading: its field `stamp`.  One of
-- another epoch is worth nothing and is loaded again; a hold remembers the stamps, so
-- that what it took is given back to the very numbers it was taken from.
-- Everything is looked at before anything is written: scripts do not roll back.
local FIRST_KEY, FIRST_ARG, PER_LINE = 3, 5, 4
local FORGOTTEN_MS = 600000 -- a hold nobody expired is dropped by the next one in its pool
local epoch, order = ARGV[1], ARGV[2]
local life_ms, stock_life_ms = tonumber(ARGV[3]), tonumber(ARGV[4])

if redis.call('GET', KEYS[1]) ~= epoch then
	return {3, 0, 0}
end
if redis.call('EXISTS', KEYS[3]) == 1 then
	return {1, 0, 0}
end

local stamps, have, need, missing = {}, {}, {}, {}
for i = 1, #KEYS - FIRST_KEY do
	local key = KEYS[FIRST_KEY + i]
	local arg = FIRST_ARG + (i - 1) * PER_LINE
	local location, qty, available = ARGV[arg + 2], tonumber(ARGV[arg + 3]), ARGV[arg + 4]
	local place = key .. ' ' .. location

	if stamps[key] == nil then
		local stamp = redis.call('HGET', key, 'stamp')
		stamps[key] = stamp and string.sub(stamp, 1, #epoch + 1) == epoch .. '.' and stamp
	end
	if not have[place] then
		local left = stamps[key] and redis.call('HGET', key, location)
		if not left then
			left = available
			missing[#missing + 1] = {key, location, available}
		end
		have[place], need[place] = tonumber(left), 0
	end
	need[place] = need[place] + qty
	if need[place] > have[place] then
		return {2, i - 1, have[place]}
	end
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for _, m in ipairs(missing) do
	local key, location, available = m[1], m[2], m[3]
	if not stamps[key] then
		stamps[key] = epoch .. '.' .. time[1] .. '.' .. time[2]
		redis.call('DEL', key)
		redis.call('HSET', key, 'stamp', stamps[key])
		redis.call('PEXPIRE', key, stock_life_ms)
	end
	redis.call('HSET', key, location, available)
end

local taken = {ARGV[5]}
for i = 1, #KEYS - FIRST_KEY do
	local key = KEYS[FIRST_KEY + i]
	local arg = FIRST_ARG + (i - 1) * PER_LINE
	local item, location, qty = ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3]

	redis.call('HINCRBY', key, location, '-' .. qty)
	taken[#taken + 1] = item .. ':' .. location .. ':' .. qty .. ':' .. stamps[key]
end
redis.call('SET', KEYS[3], table.concat(taken, ' '), 'PX', life_ms + FORGOTTEN_MS)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now_ms - FORGOTTEN_MS))
redis.call('ZADD', KEYS[2], string.format('%.0f', now_ms + life_ms), order)
return {0, 0, 0}
