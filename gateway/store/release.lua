-- release(prefix | delay, members...) -> how many were given back
-- Gives back what is claimed and not begun: due again after `delay` ms (0 at shutdown, more where a decision raised).
--
-- KEYS[1]  the shard's prefix. Touches due; g or d of the members; ready, busy of their targets.
local delay, t, given = tonumber(ARGV[1]), now(), 0
for i = 2, #ARGV do
  local member, id = ARGV[i], string.sub(ARGV[i], 3)
  if string.sub(member, 1, 1) == 'g' then
    if redis.call('EXISTS', key('g', id)) == 1 then
      redis.call('HSET', key('g', id), 'lease', 0)
      -- One that was only to be judged keeps its own time.
      local planned = tonumber(redis.call('HGET', key('g', id), 'next')) or 0
      if planned <= t + delay then redis.call('HSET', key('g', id), 'next', t + delay) end
      redis.call('ZADD', DUE, t + delay, member)
    end
  else
    local target = redis.call('HGET', key('d', id), 'target')
    if target then
      redis.call('HSET', key('d', id), 'lease', 0, 'next_at', 0)
      redis.call('ZREM', key('busy', target), id)
      redis.call('ZADD', DUE, t + delay, member)
    end
  end
  given = given + 1
end
return given
