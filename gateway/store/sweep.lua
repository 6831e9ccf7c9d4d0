-- sweep(prefix | page, retention, free) -> {groups and deliveries looked at, put back, incidents forgotten, the last page was reached}
-- The records are the truth and `due` is an index: a page of records is compared with it, and what is missing is put back.
-- Incidents resolved longer than `retention` ms ago are forgotten. free = 1: all leases are freed (a start on the
-- embedded store, whose lock proves that nobody holds one), and absence counts anew: nobody listened until now.
--
-- Groups with alerts that are held, and that nobody has judged for long, are due to be judged anew: no news that is lost
-- (with a registration that ran out, or in a store that failed over) shall hold anybody for ever.
--
-- KEYS[1]  the shard's prefix. Touches groups, open, due, looks, cursor, heard, resolved, dead; g, h, x, y, d, ready, busy; i, l, w, id.
local page, retention, free, t = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', now()
local looked, repaired, forgotten = 0, 0, 0
if free then redis.call('HSET', HEARD, 'alive', t, 'since', t) end

local LONG, judge_at_most = 1800000, 100
local function judge_anew(g)
  if judge_at_most == 0 or g.marks ~= g.judged or redis.call('HLEN', key('h', g.id)) == 0 then return end
  if num(redis.call('HGET', g.key, 'looked')) > t - LONG then return end
  judge_at_most = judge_at_most - 1
  g.marks, g.look = redis.call('HINCRBY', g.key, 'marks', 1), t
  redis.call('HSET', g.key, 'look', t)
  schedule(g, t)
end

local function sweep_group(gid)
  local g = load_group(gid)
  judge_anew(g)
  if free and g.lease > 0 then
    redis.call('HSET', g.key, 'lease', 0)
    g.lease = 0
    schedule(g, t)
    return
  end
  local is_due, look = redis.call('ZSCORE', DUE, 'g:' .. gid), first_look(g)
  if not is_due or (g.lease <= t and look ~= ABSENT and not redis.call('ZSCORE', LOOKS, gid)) then
    g.lease = 0
    if math.min(g.next, first_timer(gid), look) ~= ABSENT then
      schedule(g, t)
      repaired = repaired + 1
    elseif redis.call('HLEN', key('s', gid)) == 0 then
      redis.call('ZADD', DUE, t, 'g:' .. gid)
    end
  end
end

local function sweep_delivery(did)
  local k = key('d', did)
  local v = redis.call('HMGET', k, 'target', 'lease', 'next_at', 'wanted', 'sent', 'ring_wanted', 'ring_sent', 'state')
  local target, lease = v[1], num(v[2])
  if v[8] ~= 'open' then
    redis.call('SREM', OPEN, did)
    return
  end
  if free and lease > 0 then
    redis.call('HSET', k, 'lease', 0)
    redis.call('ZREM', key('busy', target), did)
    redis.call('ZADD', DUE, t, 'd:' .. did)
  elseif num(v[4]) > num(v[5]) or num(v[6]) > num(v[7]) then
    if not redis.call('ZSCORE', DUE, 'd:' .. did) and not redis.call('ZSCORE', key('ready', target), did) then
      redis.call('ZADD', DUE, math.max(num(v[3]), lease, t), 'd:' .. did)
      repaired = repaired + 1
    end
  end
  if redis.call('ZCARD', key('ready', target)) > 0 and not redis.call('ZSCORE', DUE, 't:' .. target) then
    redis.call('ZADD', DUE, t, 't:' .. target)
    repaired = repaired + 1
  end
end

-- One page of a set, or all of it where leases are freed; says whether its end is reached.
local function page_of(name, set, visit)
  local cursor = not free and redis.call('HGET', P .. ':cursor', name) or '0'
  repeat
    local found = redis.call('SSCAN', set, cursor, 'COUNT', page)
    cursor = found[1]
    for _, id in ipairs(found[2]) do visit(id) end
    looked = looked + #found[2]
  until not free or cursor == '0'
  redis.call('HSET', P .. ':cursor', name, cursor)
  return cursor == '0'
end
local done = page_of('groups', GROUPS, sweep_group)
done = page_of('open', OPEN, sweep_delivery) and done

for _, incident in ipairs(redis.call('ZRANGEBYSCORE', RESOLVED, '-inf', t - retention, 'LIMIT', 0, 100)) do
  local deliveries, open = redis.call('SMEMBERS', key('id', incident)), false
  for _, did in ipairs(deliveries) do open = open or redis.call('SISMEMBER', OPEN, did) == 1 end
  if not open then -- else its end has still to be told to somebody
    for _, did in ipairs(deliveries) do
      redis.call('DEL', key('d', did))
      redis.call('ZREM', DEAD, did)
      redis.call('ZREM', DUE, 'd:' .. did)
      redis.call('ZREM', UNSENT, did)
    end
    redis.call('DEL', key('i', incident), key('l', incident), key('w', incident), key('id', incident))
    redis.call('ZREM', RESOLVED, incident)
    forgotten = forgotten + 1
  end
end
return { looked, repaired, forgotten, done and 1 or 0 }
