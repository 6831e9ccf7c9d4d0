-- revive(prefix | delivery) -> 'ok', 'unknown' or 'alive'
-- A dead letter is tried again, from the beginning of its 24 hours. Where its incident has ended meanwhile, what is
-- left to tell is the end.
--
-- KEYS[1]  the shard's prefix. Touches d of the delivery; due, open, dead, gd of its group; i, l of its incident; activity.
local did, t = ARGV[1], now()
local v = redis.call('HMGET', key('d', did), 'state', 'incident', 'gid')
if not v[1] then return 'unknown' end
if v[1] ~= 'dead' then return 'alive' end
redis.call('HSET', key('d', did), 'state', 'open', 'tries', 0, 'failing_since', 0, 'next_at', 0, 'lease', 0)
local doc = redis.call('GET', key('i', v[2]))
local closed = doc and cjson.decode(doc).closed_rev or 0
if closed > 0 then redis.call('HSET', key('d', did), 'wanted', closed, 'final', closed, 'reason', 'all alerts resolved') end
redis.call('ZREM', DEAD, did)
redis.call('SADD', OPEN, did)
redis.call('SADD', key('gd', v[3]), did)
redis.call('ZADD', DUE, t, 'd:' .. did)
tell(v[2], t, { { 'revived', 'a dead letter is tried again', did } })
return 'ok'
