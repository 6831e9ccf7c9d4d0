-- silence(prefix | now, forget, most, {id, before, after, ends_at}...) -> {'ok', version} | {'changed'} | {'full'}
-- Writes silences, all of them or none: each only if its record still is `before` (empty: there is none), byte by byte,
-- since `after` was decided from that. Without rows it only forgets. What ended before `forget` goes; where there would
-- be more than `most`, so do the oldest of those that have ended by `now`.
--
-- KEYS[1]  the silences' own prefix, t:{s}. Touches
--   :silences          hash        id -> record (JSON)
--   :silences:ends     sorted set  id; score: when it ends
--   :silences:version  string      raised by every change. It is never less than the time, so that a store which lost it
--                                  does not come to a version again under which others remember something else.
local SILENCES, ENDS, VERSION = KEYS[1] .. ':silences', KEYS[1] .. ':silences:ends', KEYS[1] .. ':silences:version'
local t, forget, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local new = 0
for i = 4, #ARGV, 4 do
  if (redis.call('HGET', SILENCES, ARGV[i]) or '') ~= ARGV[i + 1] then return { 'changed' } end
  if ARGV[i + 1] == '' then new = new + 1 end
end

local changed = #ARGV > 3
local function drop(upto, count)
  local ids = redis.call('ZRANGEBYSCORE', ENDS, '-inf', upto, 'LIMIT', 0, count)
  if #ids > 0 then
    redis.call('HDEL', SILENCES, unpack(ids))
    redis.call('ZREM', ENDS, unpack(ids))
    changed = true
  end
end
drop('(' .. forget, 1000)
local excess = redis.call('HLEN', SILENCES) + new - most
if excess > 0 then
  if redis.call('ZCOUNT', ENDS, '-inf', t) < excess then return { 'full' } end
  drop(t, math.min(excess, 1000))
end

for i = 4, #ARGV, 4 do
  redis.call('HSET', SILENCES, ARGV[i], ARGV[i + 2])
  redis.call('ZADD', ENDS, ARGV[i + 3], ARGV[i])
end
local version = tonumber(redis.call('GET', VERSION)) or 0
if changed then
  version = math.max(version + 1, t)
  redis.call('SET', VERSION, string.format('%d', version))
end
return { 'ok', version }
