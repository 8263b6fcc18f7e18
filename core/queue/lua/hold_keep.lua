#!lua flags=allow-oom
-- PostgreSQL has reserved what this hold took: forget the hold, give nothing back.
--
-- KEYS: expiries, hold
-- ARGV: order
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('DEL', KEYS[2])
