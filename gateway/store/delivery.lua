-- Deliveries: queued by target, begun only where the target has room. Needs clock.lua, keys.lua.
-- A delivery that is open stands in exactly one place: waiting for its time (due, `d:`), ready at its
-- target (ready:TARGET), under way (due, `d:`, at the end of its lease, and busy:TARGET), or at rest.
local function num(value) return tonumber(value) or 0 end

-- Worst severity first, rings before updates, then in the order of time.
local function priority(rank, rings, t) return (rank * 2 + (rings and 0 or 1)) * 1e13 + t end

-- Puts a delivery with something to say into its target's queue; says which target has to be looked at.
-- One that is under way or waits for its time is left alone: whoever ends that looks again. So is one whose lease has
-- ended, unless it is due here (`is_due`): only a claim judges who is gone, and after an absence of the store it waits.
local function enqueue(did, t, is_due)
  local k = key('d', did)
  local v = redis.call('HMGET', k, 'target', 'rank', 'ring_wanted', 'ring_sent', 'lease', 'next_at', 'state', 'wanted', 'sent')
  local rings = num(v[3]) > num(v[4])
  if v[7] ~= 'open' or (not rings and num(v[8]) <= num(v[9])) then
    redis.call('ZREM', UNSENT, did)
    return nil
  end
  redis.call('ZADD', UNSENT, 'NX', t, did)
  if num(v[5]) > (is_due and t or 0) or num(v[6]) > t then return nil end
  redis.call('ZREM', DUE, 'd:' .. did)
  -- Whatever changes while it waits, it keeps its place: since when it has had something to say.
  redis.call('ZADD', key('ready', v[1]), priority(num(v[2]), rings, num(redis.call('ZSCORE', UNSENT, did))), did)
  return v[1]
end

-- Of a process's room for one kind of receiver, targets whose last attempt failed leave this much to the others, and
-- each of them is tried one delivery at a time: many dead services must not keep a living one waiting.
local SPARE, PAUSE = 32, 250

-- Leases as many of a target's waiting deliveries as it has slots and the caller has room for (kind -> how many more),
-- appending {id, attempt, lease's end, kind} to claimed. What is left has its target in due, so that somebody looks again.
local function drain(target, t, lease, room, claimed)
  local ready, busy, member = key('ready', target), key('busy', target), 't:' .. target
  if redis.call('ZCARD', ready) == 0 then
    redis.call('ZREM', DUE, member)
    return
  end
  local closed = num(redis.call('HGET', CLOSED, target))
  if closed > t then
    redis.call('ZADD', DUE, closed, member)
    return
  end
  if closed > 0 then redis.call('HDEL', CLOSED, target) end
  redis.call('ZREMRANGEBYSCORE', busy, '-inf', t)
  local fails = redis.call('SISMEMBER', FAILING, target) == 1
  local free = (fails and 1 or num(redis.call('HGET', SLOTS, target))) - redis.call('ZCARD', busy)
  local kind = redis.call('HGET', key('d', redis.call('ZRANGE', ready, 0, 0)[1]), 'kind') or ''
  local take = math.max(0, math.min(free, (room[kind] or 0) - (fails and SPARE or 0)))
  if take > 0 then
    local first = redis.call('ZRANGE', ready, 0, take - 1)
    room[kind] = room[kind] - #first
    for _, did in ipairs(first) do
      local attempt = redis.call('HINCRBY', key('d', did), 'attempt', 1)
      redis.call('HSET', key('d', did), 'lease', t + lease, 'next_at', 0)
      redis.call('ZREM', ready, did)
      redis.call('ZADD', DUE, t + lease, 'd:' .. did)
      redis.call('ZADD', busy, t + lease, did)
      claimed[#claimed + 1] = { did, attempt, t + lease, kind }
    end
  end
  if redis.call('ZCARD', ready) == 0 then
    redis.call('ZREM', DUE, member)
  else
    -- Room is left but the caller has none: others may take it now, though nobody asks all the time for those that fail.
    -- Else: when an attempt ends, or its lease.
    redis.call('ZADD', DUE, free > take and t + (fails and PAUSE or 0) or t + lease, member)
  end
end

-- Drains every target of a set, the one with the worst to say first: room may not be enough for all.
local function drain_all(targets, t, lease, room, claimed)
  local order = {}
  for target in pairs(targets) do
    local first = redis.call('ZRANGE', key('ready', target), 0, 0, 'WITHSCORES')
    order[#order + 1] = { tonumber(first[2]) or math.huge, target }
  end
  table.sort(order, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  for _, entry in ipairs(order) do drain(entry[2], t, lease, room, claimed) end
end

-- Writes lines to an incident's timeline and the activity of all.
local function tell(incident, t, lines)
  for _, line in ipairs(lines) do
    local text = cjson.encode({ at = t, incident = tonumber(incident) or 0, kind = line[1], text = line[2], target = line[3] or '' })
    if num(incident) > 0 then
      redis.call('RPUSH', key('l', incident), text)
      redis.call('LTRIM', key('l', incident), -2000, -1)
    end
    redis.call('LPUSH', ACTIVITY, text)
  end
  if #lines > 0 then redis.call('LTRIM', ACTIVITY, 0, 9999) end
end
