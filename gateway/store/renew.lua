-- renew(prefix | lease, members...) -> the members' new scores, 0 for one that is lost
-- Prolongs leases: each is {member, score as we know it}; one whose score is another is somebody else's by now. One that
-- has ended and that nobody has taken is still ours: the store may have been away.
--
-- KEYS[1]  the shard's prefix. Touches due; g or d of the members; busy of their targets.
local lease, t = tonumber(ARGV[1]), now()
local scores = {}
for i = 2, #ARGV, 2 do
  local member, id = ARGV[i], string.sub(ARGV[i], 3)
  local score = redis.call('ZSCORE', DUE, member)
  local is_group = string.sub(member, 1, 1) == 'g'
  local target = is_group or redis.call('HGET', key('d', id), 'target')
  if target and score and tonumber(score) == tonumber(ARGV[i + 1]) then
    redis.call('ZADD', DUE, t + lease, member)
    redis.call('HSET', key(is_group and 'g' or 'd', id), 'lease', t + lease)
    if not is_group then redis.call('ZADD', key('busy', target), t + lease, id) end
    scores[#scores + 1] = t + lease
  else
    scores[#scores + 1] = 0
  end
end
return scores
