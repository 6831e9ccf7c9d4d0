-- weigh(prefix | gid, marks, version, upto, all, looked, release, changes, lines, gen) -> {'ok', view} | {'stale'} | {'plan'}
-- Writes by what alerts of a group are held, as it was judged. Refused where what holds has changed since it was asked:
-- an answer from before must not stand after the group was marked for a new one.
--
-- KEYS[1]  the shard's prefix. Touches plan; g, s, f, h, y, gd of the group; d of its deliveries; due, looks, holds, l, activity.
-- marks    of the group before anything was asked (-1: whatever has been marked since; it stays marked); version: of the
--          silences that were asked
-- upto     the group's revision then: firing alerts up to it have been judged; 0 where more pages follow
-- all      1: every alert has been judged, so the marks are answered; looked: ms, when
-- release  1: the group is given back afterwards
-- changes  JSON: [[alert, by what it was held ('' = not), by what it is, until (ms, 0 = until something changes)]...]
-- lines    JSON: [[kind, text]...]
-- gen      the generation of the plan whose rules were asked; another one is in force: nothing is written
local gid, marks, version, upto = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local all, looked, release = ARGV[5] == '1', tonumber(ARGV[6]), ARGV[7] == '1'
if in_force() ~= ARGV[10] then return { 'plan' } end
local t, g = now(), load_group(gid)
if (marks >= 0 and g.marks ~= marks) or (tonumber(redis.call('HGET', HOLDS, 'version')) or 0) > version then return { 'stale' } end

if upto > 0 then redis.call('ZREMRANGEBYSCORE', key('y', gid), '-inf', looked) end
local before, let_out, free_before = g.seq, false, redis.call('ZCARD', key('f', gid))
for _, change in ipairs(cjson.decode(ARGV[8])) do
  local akey, was, is, till = unpack(change)
  local state = redis.call('HGET', key('s', gid), akey)
  local k = state and cjson.decode(state)
  if k and k[STATUS] == 'firing' and (redis.call('HGET', key('h', gid), akey) or '') == was then
    if was == '' and is ~= '' then
      redis.call('ZREM', key('f', gid), akey)
      if k[FREV] > g.shown then k[FREV] = k[SHOWN] or 0 end -- nobody can have seen it, but perhaps what was before
      g.ranks[k[RANK] + 1] = g.ranks[k[RANK] + 1] - 1
      g.changed = true
    elseif was ~= '' and is == '' then
      k[FREV], k[EREV], k[SHOWN] = g.seq + 1, 0, k[FREV]
      redis.call('ZADD', key('f', gid), k[FREV], akey)
      g.ranks[k[RANK] + 1] = g.ranks[k[RANK] + 1] + 1
      g.changed, let_out = true, true
    end
    if (was == '') ~= (is == '') then redis.call('HSET', key('s', gid), akey, cjson.encode(k)) end
    if is == '' then redis.call('HDEL', key('h', gid), akey) else redis.call('HSET', key('h', gid), akey, is) end
    if till > 0 then redis.call('ZADD', key('y', gid), till, akey) else redis.call('ZREM', key('y', gid), akey) end
  end
end
for rank = 1, #g.ranks do
  if g.ranks[rank] ~= 0 then redis.call('HINCRBY', g.key, 'r' .. (rank - 1), g.ranks[rank]) end
end

local set = {}
if g.changed then
  g.seq = g.seq + 1
  push(set, 'seq', g.seq)
  if g.opened > 0 and g.tick > 0 then
    -- Who has been kept from being told at all is told at once; who knows of the incident, at its next tick.
    -- Under a policy the clocks stand from when all is held, and go on from when it is not.
    local turned = g.clocked == 1 and (free_before == 0) ~= (redis.call('ZCARD', key('f', gid)) == 0)
    hurry(g, (turned or (let_out and g.rung == 0)) and t or next_tick(g, t))
    push(set, 'next', g.next)
  end
end
-- A ring that only waits for a hold to end waits no longer.
for _, did in ipairs(let_out and redis.call('SMEMBERS', key('gd', gid)) or {}) do
  local v = redis.call('HMGET', key('d', did), 'state', 'ring_wanted', 'ring_sent', 'tries', 'lease')
  if v[1] == 'open' and num(v[2]) > num(v[3]) and num(v[4]) == 0 and num(v[5]) <= t then
    redis.call('HSET', key('d', did), 'next_at', 0)
    redis.call('ZADD', DUE, t, 'd:' .. did)
  end
end

if upto > 0 then
  push(set, 'weighed', upto == before and g.seq or upto)
  push(set, 'by', version)
end
if all then
  g.judged = marks
  push(set, 'judged', marks)
  push(set, 'looked', looked)
end
if release then
  g.lease = 0
  push(set, 'lease', 0)
end
if #set > 0 then redis.call('HSET', g.key, unpack(set)) end
schedule(g, t)

local lines = cjson.decode(ARGV[9])
if #lines > 0 and g.opened > 0 then
  local doc = redis.call('HGET', g.key, 'doc')
  local incident = doc and cjson.decode(doc)
  if incident and incident.status == 'triggered' then tell(incident.number, t, lines) end
end
return { 'ok', view(gid, t) }
