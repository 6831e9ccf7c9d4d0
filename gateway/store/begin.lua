-- begin(prefix | delivery, attempt, lease, shown) -> {'ok', fields, group fields, counts, firing, ended, incident, waited} | {'lost'}
-- The call right before sending: is the attempt still ours? Renews its lease, notes that it begins (so that who comes
-- after a crash knows that it may have arrived), and reads the newest revision, at most `shown` alerts of either kind.
--
-- KEYS[1]  the shard's prefix. Touches d of the delivery; g, s, c, f, e of its group; i; due, busy, unsent.
local did, attempt, lease, shown = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local t = now()
local k = key('d', did)
if redis.call('HGET', k, 'attempt') ~= attempt then return { 'lost' } end
local v = redis.call('HMGET', k, 'lease', 'gid', 'target', 'begun', 'sent', 'base', 'final', 'wanted', 'incident')
if num(v[1]) <= t then return { 'lost' } end
local gid, target = v[2], v[3]
redis.call('HSET', k, 'lease', t + lease, 'begun', attempt, 'begun_for', v[9] .. ':' .. v[7])
if num(v[4]) > 0 then redis.call('HSET', k, 'unknown', 1) end
redis.call('ZADD', DUE, t + lease, 'd:' .. did)
redis.call('ZADD', key('busy', target), t + lease, did)

local g = redis.call('HMGET', key('g', gid), 'seq', 'shown', 'meta')
local revision, final = num(g[1]), num(v[7])
if final > 0 then revision = final end
if revision > num(g[2]) then redis.call('HSET', key('g', gid), 'shown', revision) end

local function read(set, low, high, limit)
  local keys = redis.call('ZRANGEBYSCORE', set, low, high, 'LIMIT', 0, limit)
  if #keys == 0 then return { {}, {}, {} } end
  return { keys, redis.call('HMGET', key('s', gid), unpack(keys)), redis.call('HMGET', key('c', gid), unpack(keys)) }
end
local seen = math.max(num(v[5]), num(v[6]))
local firing, ended = { {}, {}, {} }, read(key('e', gid), '(' .. seen, revision, shown)
local fired, unseen = 0, 0
if final == 0 then
  firing = read(key('f', gid), '-inf', '+inf', shown)
  fired, unseen = redis.call('ZCARD', key('f', gid)), redis.call('ZCOUNT', key('f', gid), '(' .. seen, '+inf')
end
-- Where nobody fires any more but the end has its tick still to come, this attempt shows the last ends without being
-- the end: it counts as having shown what was before them, so that the end has something left to show.
local counted = revision
if final == 0 and fired == 0 then
  local last = redis.call('ZRANGE', key('e', gid), -1, -1, 'WITHSCORES')
  if last[2] then counted = math.max(num(v[8]), math.min(revision, num(last[2]) - 1)) end
end
local counts = { fired, redis.call('ZCOUNT', key('e', gid), '(' .. seen, revision), unseen }
return { 'ok', redis.call('HGETALL', k), { counted, t + lease, t, g[3] or '' }, counts, firing, ended,
  redis.call('GET', key('i', v[9])) or '', t - num(redis.call('ZSCORE', UNSENT, did) or t) }
