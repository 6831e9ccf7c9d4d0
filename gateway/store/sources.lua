-- sources(prefix | step, rows) -> how many have moved
-- Which firing alerts are sources of inhibition rules, in this shard: the truth behind the index (gateway/sources.py).
-- 'place': by the plan now in force these are, with these slots (0 = none). 'settle': the index tells of these, as read.
--
-- KEYS[1]  the shard's prefix. Touches sources, moved; s of the groups.
-- rows     JSON: place [[gid, alert, slots]...]; settle [[member, entry as read ('' = none)]...]
local rows, count = cjson.decode(ARGV[2]), 0
if ARGV[1] == 'place' then
  for _, row in ipairs(rows) do
    local gid, akey, slots = unpack(row)
    local member = akey .. '.' .. gid
    local state = redis.call('HGET', key('s', gid), akey)
    local k = state and cjson.decode(state)
    local entry = redis.call('HGET', SOURCES, member)
    local wanted = k and k[STATUS] == 'firing' and slots ~= 0 and cjson.encode({ 1, k[RANK], k[START], slots }) or false
    if not wanted and entry then
      local ended = cjson.decode(entry)
      ended[1] = 0
      wanted = cjson.encode(ended)
    end
    if wanted and wanted ~= entry then
      redis.call('HSET', SOURCES, member, wanted)
      redis.call('SADD', MOVED, member)
      count = count + 1
    end
  end
  return count
end
for _, row in ipairs(rows) do
  local member, entry = row[1], row[2]
  local present = redis.call('HGET', SOURCES, member) or ''
  if present == entry then
    redis.call('SREM', MOVED, member)
    if entry ~= '' and cjson.decode(entry)[1] == 0 then redis.call('HDEL', SOURCES, member) end
    count = count + 1
  end
end
return count
