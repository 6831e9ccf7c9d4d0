-- mark(prefix | after, groups...) -> those that are gone
-- What may hold the alerts of these groups has changed: each is due in `after` ms, to be judged anew (who would ring for
-- one earlier judges it then); a large one a little later, so that news which comes again and again finds it judged once.
-- A mark is a count: who has judged by an older one has not judged (weigh.lua).
--
-- KEYS[1]  the shard's prefix. Touches g, f, h, x, y of the groups; due, looks.
local after, t, gone = tonumber(ARGV[1]), now(), {}
for i = 2, #ARGV do
  local gid = ARGV[i]
  if redis.call('EXISTS', key('g', gid)) == 1 then
    local g = load_group(gid)
    local look = t + after + math.floor((redis.call('ZCARD', key('f', gid)) + redis.call('HLEN', key('h', gid))) / 5)
    if g.marks == g.judged or g.look > look then g.look = look end
    g.marks = redis.call('HINCRBY', g.key, 'marks', 1)
    redis.call('HSET', g.key, 'look', g.look)
    schedule(g, t)
  else
    gone[#gone + 1] = gid
  end
end
return gone
