-- commit(prefix | gid, lease, room, decision) -> {'ok', deliveries} | {'stale'}
-- Writes what was decided about a group, fenced by the version it was decided from, in one atomic step:
-- the incident, its next deadline, what each target must be told. What can be sent at once comes back claimed.
--
-- KEYS[1]  the shard's prefix. Touches g, s, c, e, x, gd of the group; d, ready, busy, id; i, l, w; due, open, slots,
--          closed, unresolved, resolved, activity.
-- lease    ms; room: JSON, kind of receiver -> how many deliveries the caller can begin
-- decision JSON: version, seq, opened (as read), doc (text, '' = no incident), number, open, rung, tick, deadline (0 = none), leave,
--          considered, resolved_at, opened_at, lines [[kind, text]...], orders [{id, wanted, rings, reason, final, rank, unless,
--          by, notice, new, takes}...]; clocked and worst (0 = no policy), climbs (1 = steps to come), shows, quiet (bool), dismiss (ms, 0 = not);
--          meta, interval: of the route that it goes on under ('' = as before); why: what it was made from (text, '' = not kept)
local gid, lease, room = ARGV[1], tonumber(ARGV[2]), cjson.decode(ARGV[3])
local decision = cjson.decode(ARGV[4])
local t = now()
local g = load_group(gid)
if tonumber(redis.call('HGET', g.key, 'version') or 0) ~= decision.version then return { 'stale' } end

-- Ended alerts that everybody has seen leave the group; only the memory of their end stays. A suspect may yet be
-- believed by its deadline, without another copy that would bring its labels; and one that was dismissed fires on for
-- its sender: it inhibits others meanwhile.
if decision.leave > g.left then
  for _, akey in ipairs(redis.call('ZRANGEBYSCORE', key('e', gid), '-inf', decision.leave)) do
    local state = redis.call('HGET', key('s', gid), akey)
    local status = state and cjson.decode(state)[STATUS]
    if status ~= 'suspect' and status ~= 'dismissed' then redis.call('HDEL', key('c', gid), akey) end
  end
  redis.call('ZREMRANGEBYSCORE', key('e', gid), '-inf', decision.leave)
  redis.call('HSET', g.key, 'left', decision.leave)
end
local weighed = math.max(decision.considered, decision.leave)
if weighed > g.shown then redis.call('HSET', g.key, 'shown', weighed) end

-- Somebody says that it is over: what they can have seen fires no longer for us, whatever its sender says, for this long.
local function dismiss(akeys, is_held)
  local states = redis.call('HMGET', key('s', gid), unpack(akeys))
  local gone, written, timers, ended, ranks = {}, {}, {}, {}, {}
  for i, akey in ipairs(akeys) do
    local k = states[i] and cjson.decode(states[i])
    if k and k[FREV] <= decision.seq then
      k[STATUS], k[ENDED], k[ENDED_SEEN] = 'dismissed', t, t
      ranks[k[RANK]] = (ranks[k[RANK]] or 0) + 1
      if k[FREV] > 0 then
        k[EREV] = decision.seq + 1
        push(ended, k[EREV], akey)
      end
      gone[#gone + 1] = akey
      push(written, akey, cjson.encode(k))
      push(timers, t + decision.dismiss, akey)
    end
  end
  if #gone == 0 then return end
  if is_held then
    redis.call('HDEL', key('h', gid), unpack(gone))
    redis.call('ZREM', key('y', gid), unpack(gone))
  else
    redis.call('ZREM', key('f', gid), unpack(gone))
    for rank, count in pairs(ranks) do redis.call('HINCRBY', g.key, 'r' .. rank, -count) end
  end
  if #ended > 0 then redis.call('ZADD', key('e', gid), unpack(ended)) end
  redis.call('HSET', key('s', gid), unpack(written))
  redis.call('ZADD', key('x', gid), unpack(timers))
end
local function dismiss_all(akeys, is_held)
  for first = 1, #akeys, 500 do dismiss({ unpack(akeys, first, math.min(first + 499, #akeys)) }, is_held) end
end
if decision.dismiss > 0 then
  dismiss_all(redis.call('ZRANGE', key('f', gid), 0, -1), false)
  dismiss_all(redis.call('HKEYS', key('h', gid)), true)
end

redis.call('HSET', g.key, 'version', decision.version + 1, 'lease', 0, 'latest', 0, 'rung', decision.rung,
  'clocked', decision.clocked, 'worst', decision.worst, 'climbs', decision.climbs)
if decision.doc == '' then redis.call('HDEL', g.key, 'doc') else redis.call('HSET', g.key, 'doc', decision.doc) end

-- What began to fire while the end was decided is not part of it: the group opens anew. It has done so already where
-- the end was known before and only tidied up.
local anew = not decision.open and g.seq ~= decision.seq
  and (redis.call('ZCARD', key('f', gid)) > 0 or redis.call('HLEN', key('h', gid)) > 0)
if not anew then
  redis.call('HSET', g.key, 'tick', decision.tick, 'resumed', 0)
  if not decision.open then redis.call('HSET', g.key, 'opened', 0) end
elseif g.opened == decision.opened then
  local meta = redis.call('HGET', g.key, 'meta')
  g.next = math.max(t + (meta and meta ~= '' and cjson.decode(meta).group_wait or 0), g.patient)
  redis.call('HSET', g.key, 'opened', t, 'before', decision.seq, 'resumed', 0, 'tick', 0, 'rung', 0)
end

local incident = decision.number
if incident > 0 then
  redis.call('SET', key('i', incident), decision.doc)
  if decision.open then
    redis.call('ZADD', UNRESOLVED, decision.opened_at, incident)
    redis.call('ZREM', RESOLVED, incident)
  else
    redis.call('ZREM', UNRESOLVED, incident)
    redis.call('ZADD', RESOLVED, decision.resolved_at, incident)
  end
end
tell(incident, t, decision.lines)

-- What it was made from. Of looks in a row after which nothing followed the newest will do.
local IDLE, DECISIONS_KEPT = '{"idle":true', 200
if incident > 0 and (decision.why or '') ~= '' then
  local kept = key('w', incident)
  local last = redis.call('LINDEX', kept, -1)
  if last and last:sub(1, #IDLE) == IDLE and decision.why:sub(1, #IDLE) == IDLE then
    redis.call('LSET', kept, -1, decision.why)
  else
    redis.call('RPUSH', kept, decision.why)
    redis.call('LTRIM', kept, -DECISIONS_KEPT, -1)
  end
end

-- What an acknowledgement makes unnecessary is not heard any more; an attempt that has begun is on its way.
for _, did in ipairs(decision.quiet and redis.call('SMEMBERS', key('gd', gid)) or {}) do
  local k = key('d', did)
  local v = redis.call('HMGET', k, 'incident', 'state', 'ring_wanted', 'ring_sent', 'unless', 'sent', 'begun', 'unknown')
  if tonumber(v[1]) == incident and v[2] == 'open' and num(v[3]) > num(v[4]) and v[5] ~= 'resolved' then
    redis.call('HSET', k, 'ring_sent', v[3], 'ring_at', 0) -- so it is none that another policy could count on
    if num(v[6]) + num(v[7]) + num(v[8]) == 0 then redis.call('HSET', k, 'wanted', 0) end -- nobody was told anything
  end
end

local touched, claimed = {}, {}
for _, order in ipairs(decision.orders) do
  local takes = order.takes and redis.call('HGET', key('d', order.takes), 'state') == 'open'
  if takes then
    order.id = order.takes
    redis.call('HSET', key('d', order.id), 'tries', 0, 'failing_since', 0, 'next_at', 0)
  end
  local k = key('d', order.id)
  if order.new and not takes then
    local rings = redis.call('HGET', k, 'ring_wanted')
    if rings then -- it has died, and is tried anew, as if nothing was known of its message, which may be what is wrong
      if not order.takes then redis.call('HDEL', k, 'memory') end
      redis.call('HSET', k, 'state', 'open', 'ring_sent', rings, 'tries', 0, 'failing_since', 0, 'next_at', 0, unpack(order.new))
    else
      redis.call('HSET', k, 'state', 'open', 'sent', 0, 'ring_sent', 0, 'attempt', 0, unpack(order.new))
    end
    redis.call('SADD', key('gd', gid), order.id)
    redis.call('ZREM', DEAD, order.id)
    -- What died there may still be open over there: who rings next must know.
    local memory = order.takes and redis.call('HGET', key('d', order.takes), 'memory')
    if memory then redis.call('HSET', k, 'memory', memory) end
  end
  local state = redis.call('HGET', k, 'state')
  if state and state ~= 'dead' then
    local before = redis.call('HGET', k, 'incident')
    if before and tonumber(before) ~= incident then -- taken over from the incident before, whose end nobody is told
      redis.call('SREM', key('id', before), order.id)
      local where = redis.call('HMGET', k, 'receiver', 'target')
      tell(before, t, { { 'not_told', 'its end was not told: it fired again first, as #' .. string.format('%d', incident),
        where[1] .. ', ' .. where[2] } })
    end
    redis.call('HSET', k, 'state', 'open', 'wanted', order.wanted, 'final', order.final, 'rank', order.rank, 'incident', incident)
    -- A ring that has still to be heard keeps its reason, whatever is to be shown besides.
    local levels = redis.call('HMGET', k, 'ring_wanted', 'ring_sent')
    if order.rings > 0 or order.final > 0 or num(levels[1]) <= num(levels[2]) then
      redis.call('HSET', k, 'reason', order.reason)
    end
    if order.rings > 0 then
      local waits = num(levels[1]) > num(levels[2]) and redis.call('HGET', k, 'unless') == 'resolved'
      redis.call('HSET', k, 'unless', waits and 'resolved' or order.unless, 'ring_at', t, 'rung_by', order.by)
      redis.call('HINCRBY', k, 'ring_wanted', order.rings)
      -- Whom a policy tells sees the end, and hears each ring: a receiver's own delivery may have done neither before.
      if order.by ~= '' then redis.call('HSET', k, 'escalates', 1, 'ends', 1) end
    elseif order.unless == 'resolved' and num(levels[1]) > num(levels[2]) then
      redis.call('HSET', k, 'unless', 'resolved') -- somebody else wants the ring that is on its way, acknowledged or not
    end
    if order.notice then redis.call('HSET', k, 'notice', order.wanted) end
    -- An earlier ring that only waits for a hold to end keeps nothing else waiting.
    if num(redis.call('HGET', k, 'tries')) == 0 then redis.call('HSET', k, 'next_at', 0) end
    redis.call('SADD', OPEN, order.id)
    redis.call('SADD', key('id', incident), order.id)
    redis.call('HSET', SLOTS, redis.call('HGET', k, 'target'), redis.call('HGET', k, 'slots'))
    local target = enqueue(order.id, t)
    if target then touched[target] = true end
  end
end
-- Finished deliveries of earlier incidents are the group's no longer.
if decision.fresh then
  for _, did in ipairs(redis.call('SMEMBERS', key('gd', gid))) do
    local v = redis.call('HMGET', key('d', did), 'state', 'incident')
    if v[1] ~= 'open' and tonumber(v[2]) ~= incident then redis.call('SREM', key('gd', gid), did) end
  end
end
drain_all(touched, t, lease, room, claimed)

if decision.meta ~= '' then redis.call('HSET', g.key, 'meta', decision.meta, 'interval', decision.interval) end

-- What came in while it was being decided makes it due again; nothing waits for a fixed point.
g.lease = 0
if not anew then
  g.next = decision.deadline > 0 and decision.deadline or ABSENT
  if g.seq ~= decision.seq and g.seq > 0 then g.next = math.min(g.next, t) end
  if redis.call('HDEL', g.key, 'died') == 1 then g.next = t end -- somebody cannot be told any more
end
if decision.shows then redis.call('HSET', g.key, 'seq', g.seq + 1) end
redis.call('HSET', g.key, 'next', g.next == ABSENT and 0 or g.next)
schedule(g, t)
return { 'ok', claimed }
