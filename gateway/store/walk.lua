-- walk(prefix | step, version, when) -> 1, or 0 where another walk is asked for, or goes on by newer silences
-- Walks through the shard after silences have changed. 'wake': they have, so from now on nobody judges by older ones than
-- `version` here, and somebody is to walk. 'on': the walk is leased for `when` ms. 'end': the next one is at `when` (0 =
-- none), unless it has been asked for already. A walk by older silences than somebody else's says nothing of that.
--
-- KEYS[1]  the shard's prefix. Touches holds, due.
local step, version, when = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local member = 'w:silences'
local score = tonumber(redis.call('ZSCORE', DUE, member))
if step ~= 'end' and version > (tonumber(redis.call('HGET', HOLDS, 'version')) or 0) then
  redis.call('HSET', HOLDS, 'version', version)
end
if step == 'wake' then
  redis.call('ZADD', DUE, 0, member)
  return 1
end
if step == 'on' then
  if score ~= 0 then redis.call('ZADD', DUE, now() + when, member) end
  return 1
end
if score == 0 or version < tonumber(redis.call('HGET', HOLDS, 'version') or 0) then return 0 end
if when > 0 then redis.call('ZADD', DUE, when, member) else redis.call('ZREM', DUE, member) end
return 1
