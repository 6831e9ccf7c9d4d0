-- A group: loaded once by a script, changed in memory by what its alerts do, written once.
-- Needs clock.lua, keys.lua, alert.lua.
local GROUP = { 'seq', 'shown', 'left', 'opened', 'tick', 'interval', 'next', 'lease', 'latest', 'marks', 'judged', 'look', 'rung', 'patient', 'clocked', 'worst', 'climbs' }
local ABSENT = math.huge

local function load_group(gid)
  local g = { id = gid, key = key('g', gid), changed = false, opens = false }
  local values = redis.call('HMGET', g.key, unpack(GROUP))
  for i, name in ipairs(GROUP) do g[name] = tonumber(values[i]) or 0 end
  g.known = values[7] and true or false -- every record has its `next`
  if g.next == 0 then g.next = ABSENT end
  g.states, g.contents, g.timers, g.fired, g.ended, g.filed = {}, {}, {}, {}, {}, {}
  g.ranks = { 0, 0, 0, 0, 0, 0, 0, 0 }
  return g
end

local function unknown(rank) return { '', 0, 0, 0, 0, 0, 0, 0, rank, 0, 0 } end

local function push(list, a, b)
  list[#list + 1] = a
  list[#list + 1] = b
end

-- The alert fires (again). An end that no tick has weighed and no target can have seen is as if it had not been:
-- the revision of its beginning stays, so that nobody is told what nobody missed (Alertmanager: an alert that
-- flaps between two ticks is the same to it). Where a new incident begins, so does everything in it.
-- By that revision it has been judged, but what held it was forgotten at its end: so the group is to be judged anew.
local function fires(g, akey, k)
  local unseen = g.opened > 0 and k[EREV] > g.shown
  if unseen and k[FREV] > 0 then g.unjudged = g.unjudged or ABSENT else k[FREV], k[SHOWN] = g.seq + 1, nil end
  k[EREV] = 0
  g.fired[akey], g.ended[akey] = k[FREV], nil
  g.ranks[k[RANK] + 1] = g.ranks[k[RANK] + 1] + 1
  g.changed = true
end

-- What a source of an inhibition rule does is written down in the same step, and told to the index afterwards: `moved`
-- says whose entry has changed and `src` says what is true (gateway/sources.py).
-- An entry is text: whether it fires (1 or 0), its rank, its start, and the slots that it is filed under.
local function source_fires(g, akey, k, slots)
  g.filed[akey .. '.' .. g.id] = string.format('1 %d %d %s', k[RANK], k[START], slots)
end

local function source_ends(g, akey)
  local member = akey .. '.' .. g.id
  local entry = g.filed[member] or redis.call('HGET', SOURCES, member)
  if entry then g.filed[member] = '0' .. string.sub(entry, 2) end
end

local function write_sources(g)
  local entries, moved = {}, {}
  for member, entry in pairs(g.filed) do
    entries[#entries + 1] = member
    entries[#entries + 1] = entry
    moved[#moved + 1] = member
  end
  if #moved == 0 then return end
  redis.call('HSET', SOURCES, unpack(entries))
  redis.call('SADD', MOVED, unpack(moved))
end

local sources_known
local function any_source()
  if sources_known == nil then sources_known = redis.call('EXISTS', SOURCES) == 1 end
  return sources_known
end

-- By what an alert is held, or false.
local function held(g, akey)
  if g.holds == nil then g.holds = redis.call('HLEN', key('h', g.id)) > 0 end
  return g.holds and redis.call('HGET', key('h', g.id), akey)
end

local function let_go(g, akey)
  redis.call('HDEL', key('h', g.id), akey)
  redis.call('ZREM', key('y', g.id), akey)
end

-- Brings the news of one alert into the group.
local function apply(g, akey, k, news, dedup)
  if news == 'new' then
    fires(g, akey, k)
    if g.opened == 0 and not g.opens then g.opens = 'new' end
  elseif news == 'continued' then
    fires(g, akey, k)
    if g.opened == 0 then g.opens = 'resumed' end -- whatever else begins with it joins the same incident
  elseif news == 'recorded' and k[STATUS] == 'resolved' then -- of one that was dismissed
    if next(g.filed) or any_source() then source_ends(g, akey) end
  elseif news == 'ended' then
    if next(g.filed) or any_source() then source_ends(g, akey) end
    g.fired[akey], g.changed = nil, true
    if held(g, akey) then
      let_go(g, akey)
    else
      g.ranks[k[RANK] + 1] = g.ranks[k[RANK] + 1] - 1
    end
    -- Who saw it fire sees it end. What was held from its beginning nobody has seen.
    if k[FREV] > 0 then
      k[EREV] = g.seq + 1
      g.ended[akey] = k[EREV]
    end
  end
  push(g.states, akey, cjson.encode(k))
  push(g.timers, deadline(k, dedup), akey)
end

-- Moves alerts into one sorted set and out of the other, where a group that is new has none.
local function move(g, into, out_of, revisions)
  local scored, names = {}, {}
  for akey, revision in pairs(revisions) do
    push(scored, revision, akey)
    names[#names + 1] = akey
  end
  if #names == 0 then return end
  redis.call('ZADD', key(into, g.id), unpack(scored))
  if g.known then redis.call('ZREM', key(out_of, g.id), unpack(names)) end
end

local function write_alerts(g)
  if #g.states > 0 then redis.call('HSET', key('s', g.id), unpack(g.states)) end
  if #g.contents > 0 then redis.call('HSET', key('c', g.id), unpack(g.contents)) end
  if #g.timers > 0 then redis.call('ZADD', key('x', g.id), unpack(g.timers)) end
  move(g, 'f', 'e', g.fired)
  move(g, 'e', 'f', g.ended)
  write_sources(g)
  for rank = 1, #g.ranks do
    if g.ranks[rank] ~= 0 then redis.call('HINCRBY', g.key, 'r' .. (rank - 1), g.ranks[rank]) end
  end
end

local function first_timer(gid)
  local first = redis.call('ZRANGE', key('x', gid), 0, 0, 'WITHSCORES')
  return tonumber(first[2]) or ABSENT
end

-- When a hold has to be looked at again: by its own time (a grace, a release), or because what holds has changed since.
local function first_look(g)
  local first = redis.call('ZRANGE', key('y', g.id), 0, 0, 'WITHSCORES')
  return math.min(tonumber(first[2]) or ABSENT, g.marks ~= g.judged and g.look or ABSENT)
end

local function put(set, member, at)
  if at == ABSENT then redis.call('ZREM', set, member) else redis.call('ZADD', set, at, member) end
end

-- Puts the group where its deadlines say, unless somebody works on it: who commits looks again. That it is only to be
-- judged anew stands apart: one source can mean that for a hundred thousand groups, and they are to keep nobody waiting.
local function schedule(g, t)
  if g.lease > t then return end
  put(DUE, 'g:' .. g.id, math.min(g.next, first_timer(g.id)))
  put(LOOKS, g.id, first_look(g))
end

-- A change of an open group is looked at at its next tick; Alertmanager's ticks stand where they are planned.
local function next_tick(g, t)
  if g.tick >= t then return g.tick end
  return g.tick + math.ceil((t - g.tick) / g.interval) * g.interval
end

-- An alert that a rule could inhibit is not told of before `grace` has passed, since sources arrive after targets: the
-- next look is put off for it, though not for ever; who comes too late for that is held until its own time.
local function give_grace(g, t, grace, beginners)
  g.patient = t + grace
  if g.next >= t + grace then return end
  if g.latest == 0 then g.latest = g.next + 2 * grace end
  g.next = math.min(t + grace, g.latest)
  if g.next >= t + grace then return end
  for _, akey in ipairs(beginners) do redis.call('ZADD', key('y', g.id), t + grace, akey) end
end

-- The group is to be looked at earlier, though whoever hurries it takes no grace from those who have come before.
local function hurry(g, when) g.next = math.min(g.next, math.max(when, g.patient)) end

-- meta, wait, interval: what the plan says now, taken when the group opens. overdue: an alert has waited
-- its group_wait already (at the sender, or before a restart), so the group does not wait for it again.
-- grace, beginners: for alerts that a rule could inhibit.
local function save_group(g, t, meta, wait, interval, overdue, grace, beginners)
  write_alerts(g)
  local set = { 'next', 0 }
  if g.changed then
    g.seq = g.seq + 1
    push(set, 'seq', g.seq)
  end
  if g.opens == 'resumed' and redis.call('HEXISTS', g.key, 'doc') == 0 then g.opens = 'new' end
  if g.opens then
    g.opened, g.tick = t, 0
    g.next = (overdue or g.opens == 'resumed') and t or t + wait
    g.latest = 0
    push(set, 'opened', t)
    if g.opens == 'new' then push(set, 'rung', 0) end
    if g.opens == 'new' then push(set, 'clocked', 0) end
    push(set, 'before', g.seq - 1)
    push(set, 'resumed', g.opens == 'resumed' and 1 or 0)
    push(set, 'tick', 0)
  elseif g.changed and g.opened > 0 then
    -- Under a policy an alert that is worse than all before is no news that waits for a tick.
    if g.tick > 0 then hurry(g, g.worse and t or next_tick(g, t)) elseif overdue then hurry(g, t) end
  end
  if g.unjudged then
    -- By what it is held makes no difference before the next look.
    local look = math.min(g.unjudged, g.tick > 0 and next_tick(g, t) or g.next)
    if g.marks == g.judged or g.look > look then g.look = look end
    g.marks = redis.call('HINCRBY', g.key, 'marks', 1)
    push(set, 'look', g.look)
  end
  local patient = g.changed and grace and #beginners > 0
  if patient then give_grace(g, t, grace, beginners) end
  if patient or g.opens then
    push(set, 'latest', g.latest)
    push(set, 'patient', g.patient)
  end
  -- Also before it opens: it may open by itself, when a suspect is believed.
  if meta and (g.opens == 'new' or g.interval == 0) then
    push(set, 'meta', meta)
    push(set, 'interval', interval)
  end
  set[2] = g.next == ABSENT and 0 or g.next
  redis.call('HSET', g.key, unpack(set))
  schedule(g, t)
end

local function lease_group(g, t, lease)
  g.lease = t + lease
  redis.call('HSET', g.key, 'lease', g.lease)
  redis.call('ZADD', DUE, g.lease, 'g:' .. g.id)
  redis.call('ZREM', LOOKS, g.id)
end

-- Of each delivery of the group: what a decision must know.
local TOLD = { 'incident', 'kind', 'place', 'ends', 'updates', 'edits', 'state', 'wanted', 'sent', 'ring_wanted', 'ring_sent', 'rung', 'sent_at', 'ring_at', 'rung_by', 'person' }
local SEEN_OF = { 'seq', 'version', 'lease', 'doc', 'meta', 'opened', 'before', 'resumed', 'next', 'marks', 'judged', 'weighed',
  'r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7' }

-- What a decision is made from: {gid, fields..., firing, ended, fired_rev, ended_rev, held, first look, now, deliveries}.
local function view(gid, t)
  local out = redis.call('HMGET', key('g', gid), unpack(SEEN_OF))
  for i = 1, #SEEN_OF do out[i] = out[i] or '' end
  local last_fired = redis.call('ZRANGE', key('f', gid), -1, -1, 'WITHSCORES')
  local last_ended = redis.call('ZRANGE', key('e', gid), -1, -1, 'WITHSCORES')
  local told = {}
  for _, did in ipairs(redis.call('SMEMBERS', key('gd', gid))) do
    local fields = redis.call('HMGET', key('d', did), unpack(TOLD))
    table.insert(fields, 1, did)
    for i = 1, #TOLD + 1 do fields[i] = fields[i] or '' end
    told[#told + 1] = fields
  end
  table.insert(out, 1, gid)
  push(out, redis.call('ZCARD', key('f', gid)), redis.call('ZCARD', key('e', gid)))
  push(out, tonumber(last_fired[2]) or 0, tonumber(last_ended[2]) or 0)
  local first_held = redis.call('ZRANGE', key('y', gid), 0, 0, 'WITHSCORES')
  push(out, redis.call('HLEN', key('h', gid)), tonumber(first_held[2]) or 0)
  push(out, t, told)
  return out
end
