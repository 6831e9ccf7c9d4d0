-- revive(prefix | delivery) -> 'ok', 'unknown' or 'alive'
-- A dead letter is tried again, from the beginning of its 24 hours.
--
-- KEYS[1]  the shard's prefix. Touches d of the delivery; due, open, dead, gd of its group; l, activity.
local did, t = ARGV[1], now()
local v = redis.call('HMGET', key('d', did), 'state', 'incident', 'gid')
if not v[1] then return 'unknown' end
if v[1] ~= 'dead' then return 'alive' end
redis.call('HSET', key('d', did), 'state', 'open', 'tries', 0, 'failing_since', 0, 'next_at', 0, 'lease', 0)
redis.call('ZREM', DEAD, did)
redis.call('SADD', OPEN, did)
redis.call('SADD', key('gd', v[3]), did)
redis.call('ZADD', DUE, t, 'd:' .. did)
tell(v[2], t, { { 'revived', 'a dead letter is tried again', did } })
return 'ok'
