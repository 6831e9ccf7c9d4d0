-- sources(prefix | step, ...) -> how many have moved, or are settled; -1 where another plan is in force
-- Which firing alerts are sources of inhibition rules, in this shard: the truth behind the index (gateway/sources.py).
--
-- KEYS[1]  the shard's prefix. Touches plan, sources, moved; s of the groups.
-- place    generation, {group, alert, slots}...: by this plan these are sources with these slots ('' for none)
-- settle   {member, entry}...: the index tells of these; entries as they were read ('' for none)
local count = 0
if ARGV[1] == 'place' then
  if in_force() ~= ARGV[2] then return -1 end
  for i = 3, #ARGV, 3 do
    local gid, akey, slots = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local member = akey .. '.' .. gid
    local state = redis.call('HGET', key('s', gid), akey)
    local k = state and cjson.decode(state)
    local entry = redis.call('HGET', SOURCES, member)
    local wanted = entry and '0' .. string.sub(entry, 2)
    if k and k[STATUS] == 'firing' and slots ~= '' then wanted = string.format('1 %d %d %s', k[RANK], k[START], slots) end
    if wanted and wanted ~= entry then
      redis.call('HSET', SOURCES, member, wanted)
      redis.call('SADD', MOVED, member)
      count = count + 1
    end
  end
  return count
end
for i = 2, #ARGV, 2 do
  local member, entry = ARGV[i], ARGV[i + 1]
  if (redis.call('HGET', SOURCES, member) or '') == entry then
    redis.call('SREM', MOVED, member)
    if string.sub(entry, 1, 1) == '0' then redis.call('HDEL', SOURCES, member) end
    count = count + 1
  else -- another one has told of it meanwhile, perhaps earlier than we did: what is true is told again
    redis.call('SADD', MOVED, member)
  end
end
return count
