-- hurry(prefix | gid...) -> how many
-- The configuration has changed: groups whose incident goes by a policy are looked at at once, since its steps may have.
--
-- KEYS[1]  the shard's prefix. Touches g, x, y of the groups; due, looks.
local t, hurried = now(), 0
for _, gid in ipairs(ARGV) do
  local g = load_group(gid)
  if g.clocked == 1 and g.next > t then
    g.next = t
    redis.call('HSET', g.key, 'next', t)
    schedule(g, t)
    hurried = hurried + 1
  end
end
return hurried
