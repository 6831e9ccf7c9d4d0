-- sent(prefix | delivery, attempt, lease, room, verdict) -> {'ok', deliveries} | {'lost'}
-- Writes what became of an attempt, fenced by what has begun, and gives the target's room to who waits for it.
--
-- KEYS[1]  the shard's prefix. Touches d of the delivery; ready, busy of its target; gd, g of its group; due, open, dead,
--          closed, failing, unsent, l, activity.
-- verdict  JSON: state (open, done, dead), sent, ring_sent, rung (0 = as before), memory ('' = as before), unknown, tries,
--          failing_since, retry_in, closed_for (ms, 0 = not), error, told, answered (bool), lines
local did, attempt, lease, room = ARGV[1], ARGV[2], tonumber(ARGV[3]), cjson.decode(ARGV[4])
local verdict = cjson.decode(ARGV[5])
local t = now()
local k = key('d', did)
local v = redis.call('HMGET', k, 'attempt', 'target', 'incident', 'gid', 'final', 'sent', 'wanted', 'ring_wanted', 'begun', 'begun_for', 'ring_sent')
-- A newer attempt that was claimed but has not begun finds itself lost; one that has begun wins.
if v[1] ~= attempt and v[9] ~= attempt then return { 'lost' } end
local target, incident, gid = v[2], v[3], v[4]

-- The incident may have gone on, or ended, or the next one may have taken the delivery over, during the attempt: then a
-- failure says nothing of what is to be told now, which is tried at once and for its own 24 hours.
local state, failed = verdict.state, verdict.tries > 0
local retry_at = verdict.retry_in > 0 and t + verdict.retry_in or 0
if failed and v[10] ~= incident .. ':' .. v[5] then
  state, verdict.tries, verdict.failing_since, retry_at = 'open', 0, 0, 0
end
if state == 'done' and (num(v[5]) == 0 or math.max(verdict.sent, num(v[6])) < num(v[5])) then state = 'open' end

local set = { 'state', state, 'lease', 0, 'begun', 0, 'unknown', verdict.unknown and 1 or 0, 'tries', verdict.tries,
  'failing_since', verdict.failing_since, 'next_at', retry_at, 'error', verdict.error }
local function put(name, value)
  set[#set + 1] = name
  set[#set + 1] = value
end
if verdict.sent > 0 then put('sent', verdict.sent) end
-- What was dropped meanwhile, since somebody has acknowledged, stays dropped.
if verdict.ring_sent > num(v[11]) then put('ring_sent', verdict.ring_sent) end
if verdict.rung > 0 then
  put('rung', verdict.rung)
  -- A ring that was ordered meanwhile for what this one showed already has been heard.
  if num(v[7]) <= verdict.rung then put('ring_sent', v[8]) end
end
if verdict.told then put('sent_at', t) end
if verdict.memory ~= '' then put('memory', verdict.memory) end
redis.call('HSET', k, unpack(set))
-- Nobody was told anything, and nobody is to be rung (any more: somebody has it in hand): there is nothing to show.
local now_is = redis.call('HMGET', k, 'sent', 'unknown', 'final', 'ring_wanted', 'ring_sent')
if num(now_is[1]) + num(now_is[2]) + num(now_is[3]) == 0 and num(now_is[4]) <= num(now_is[5]) then
  redis.call('HSET', k, 'wanted', 0)
end
redis.call('ZREM', key('busy', target), did)
redis.call('ZREM', DUE, 'd:' .. did)
tell(string.match(v[10] or '', '^%d+') or incident, t, verdict.lines)

if state ~= 'open' then
  redis.call('SREM', OPEN, did)
  redis.call('ZREM', UNSENT, did)
  if state == 'dead' then
    redis.call('ZADD', DEAD, t, did)
    local g = load_group(gid)
    if g.clocked == 1 then -- the next step may have to come earlier for it
      g.next = math.min(g.next, t)
      redis.call('HSET', g.key, 'died', 1, 'next', g.next)
      schedule(g, t)
    end
  end
  local doc = redis.call('HGET', key('g', gid), 'doc')
  if not doc or cjson.decode(doc).number ~= tonumber(incident) then redis.call('SREM', key('gd', gid), did) end
elseif retry_at > 0 and verdict.closed_for == 0 then
  redis.call('ZADD', DUE, retry_at, 'd:' .. did)
else
  -- A closed target keeps its deliveries in its queue, where the worst comes first.
  redis.call('HSET', k, 'next_at', 0)
  enqueue(did, t)
end
if verdict.answered then redis.call('SREM', FAILING, target) elseif failed then redis.call('SADD', FAILING, target) end
if verdict.closed_for > 0 then redis.call('HSET', CLOSED, target, t + verdict.closed_for) end
local claimed = {}
drain(target, t, lease, room, claimed)
return { 'ok', claimed }
