-- kept(prefix | name, now, forget, most, {id, before, after, ends_at}...) -> {'ok', version} | {'changed'} | {'full'}
-- Writes records that all processes share, all of them or none: each only if it still is `before` (empty: there is
-- none), byte by byte, since `after` was decided from that. Without rows it only forgets. What ended before `forget`
-- goes; where there would be more than `most`, so do the oldest of those that have ended by `now`.
--
-- KEYS[1]  the prefix of what all share, t:{s}. Touches, with NAME silences, overrides or calendars
--   :NAME          hash        id -> record (JSON)
--   :NAME:ends     sorted set  id; score: when it ends
--   :NAME:version  string      raised by every change. It is never less than the time, so that a store which lost it
--                              does not come to a version again under which others remember something else.
local RECORDS = KEYS[1] .. ':' .. ARGV[1]
local ENDS, VERSION = RECORDS .. ':ends', RECORDS .. ':version'
local t, forget, most = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local new = 0
for i = 5, #ARGV, 4 do
  if (redis.call('HGET', RECORDS, ARGV[i]) or '') ~= ARGV[i + 1] then return { 'changed' } end
  if ARGV[i + 1] == '' then new = new + 1 end
end

local changed = #ARGV > 4
local function drop(upto, count)
  local ids = redis.call('ZRANGEBYSCORE', ENDS, '-inf', upto, 'LIMIT', 0, count)
  if #ids > 0 then
    redis.call('HDEL', RECORDS, unpack(ids))
    redis.call('ZREM', ENDS, unpack(ids))
    changed = true
  end
end
drop('(' .. forget, 1000)
local excess = redis.call('HLEN', RECORDS) + new - most
if excess > 0 then
  if redis.call('ZCOUNT', ENDS, '-inf', t) < excess then return { 'full' } end
  drop(t, math.min(excess, 1000))
end

for i = 5, #ARGV, 4 do
  redis.call('HSET', RECORDS, ARGV[i], ARGV[i + 2])
  redis.call('ZADD', ENDS, ARGV[i + 3], ARGV[i])
end
local version = tonumber(redis.call('GET', VERSION)) or 0
if changed then
  version = math.max(version + 1, t)
  redis.call('SET', VERSION, string.format('%d', version))
end
return { 'ok', version }
