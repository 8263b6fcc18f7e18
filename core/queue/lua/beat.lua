#!lua flags=allow-oom
-- The consumer still works on this entry.  Only if it is still its own: a late beat must not take it back.
--
-- KEYS: stream
-- ARGV: consumer, entry
if #redis.call('XPENDING', KEYS[1], 'w', ARGV[2], ARGV[2], 1, ARGV[1]) == 0 then
	return 0
end
redis.call('XCLAIM', KEYS[1], 'w', ARGV[1], 0, ARGV[2], 'JUSTID')
return 1
