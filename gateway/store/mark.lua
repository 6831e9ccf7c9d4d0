-- mark(prefix | groups...) -> those that are gone
-- What may hold the alerts of these groups has changed: each is due now, to be judged anew. A mark is a count: who has
-- judged by an older one has not judged (weigh.lua).
--
-- KEYS[1]  the shard's prefix. Touches g, x, y of the groups; due.
local t, gone = now(), {}
for _, gid in ipairs(ARGV) do
  if redis.call('EXISTS', key('g', gid)) == 1 then
    redis.call('HINCRBY', key('g', gid), 'marks', 1)
    schedule(load_group(gid), t)
  else
    gone[#gone + 1] = gid
  end
end
return gone
