-- claim(prefix | gen, dedup, lease, groups, room, gap, horizon) -> {'ok', views, deliveries, wait, lateness, moved, walk, version} | {'plan'}
-- Claims what is due: at most `groups` groups, and deliveries as far as their targets have slots and the caller has
-- `room` (JSON: kind -> how many). Groups that are only to be judged anew come last; an eighth is kept for them.
--
-- KEYS[1]  the shard's prefix. Touches due, looks, heard, plan, closed, slots; g, s, c, f, e, x, gd of due groups; d, ready, busy.
-- gap      ms without a listener after which absence means nothing; horizon: for how long then (resolve_timeout)
-- wait     ms until the next deadline, 0 if it has passed, -1 if there is none; lateness: ms, of each group claimed
-- moved    how many sources of inhibition have moved and are not in the index yet; walk: 1 where silences have changed and
--          this shard is to be walked through, leased like everything else; version: of the silences by which it was walked last
if in_force() ~= ARGV[1] then return { 'plan' } end
local dedup = cjson.decode(ARGV[2])
local lease, groups, room = tonumber(ARGV[3]), tonumber(ARGV[4]), cjson.decode(ARGV[5])
local gap, horizon = tonumber(ARGV[6]), tonumber(ARGV[7])
local t = now()

-- Absence counts only while we listened.
local heard = redis.call('HMGET', HEARD, 'alive', 'since')
local alive, since = tonumber(heard[1]) or 0, tonumber(heard[2]) or t
if t - alive > gap then since = t end
if t - alive >= 1000 then redis.call('HSET', HEARD, 'alive', t, 'since', since) end

local function forget(gid, akey)
  redis.call('HDEL', key('s', gid), akey)
  redis.call('HDEL', key('c', gid), akey)
  redis.call('ZREM', key('x', gid), akey)
end

-- What an absence makes of alerts whose deadline has passed; ended ones are forgotten in the end. After an outage all
-- of them meet at one moment: a call looks at this many, so that Redis answers others in between.
local budget = 2000
local function expire_alerts(g)
  for _, akey in ipairs(redis.call('ZRANGEBYSCORE', key('x', g.id), '-inf', t, 'LIMIT', 0, math.min(500, budget))) do
    budget = budget - 1
    local state = redis.call('HGET', key('s', g.id), akey)
    local k = state and cjson.decode(state)
    if not k then
      redis.call('ZREM', key('x', g.id), akey)
    elseif k[STATUS] == 'resolved' then
      if k[EREV] > g.left then redis.call('ZADD', key('x', g.id), t + dedup.remember, akey) else forget(g.id, akey) end
    elseif t < since + horizon then
      redis.call('ZADD', key('x', g.id), since + horizon, akey)
    elseif g.climbs == 1 and k[STATUS] == 'firing' and k[UNTIL] == 0 then
      -- That nobody reports it any more ends no incident that has still to be told to somebody.
      redis.call('ZADD', key('x', g.id), t + dedup.stale_after, akey)
    elseif deadline(k, dedup) > t then
      redis.call('ZADD', key('x', g.id), deadline(k, dedup), akey)
    else
      local news = expire(k, t, dedup)
      apply(g, akey, k, news, dedup)
      if news == 'continued' then g.unjudged = t end -- it may be a source, which is not known here
    end
  end
end

local function rests(gid)
  for _, did in ipairs(redis.call('SMEMBERS', key('gd', gid))) do
    if redis.call('HGET', key('d', did), 'state') == 'open' then return false end
  end
  return true
end

local views, lateness, claimed, touched, walk = {}, {}, {}, {}, 0
local function claim_group(gid)
  local g = load_group(gid)
  g.lease = 0 -- it is due, so whoever held it is gone
  expire_alerts(g)
  save_group(g, t, nil, 0, 0, false)
  if g.next <= t or first_look(g) <= t then
    if g.next <= t then lateness[#lateness + 1] = t - g.next end
    lease_group(g, t, lease)
    views[#views + 1] = view(gid, t)
  elseif g.next == ABSENT and redis.call('HLEN', key('s', gid)) == 0 and rests(gid) then
    redis.call('DEL', g.key, key('c', gid), key('f', gid), key('e', gid), key('h', gid), key('x', gid), key('y', gid), key('gd', gid))
    redis.call('SREM', GROUPS, gid)
    redis.call('ZREM', DUE, 'g:' .. gid)
    redis.call('ZREM', LOOKS, gid)
  end
end

local looks = redis.call('ZRANGEBYSCORE', LOOKS, '-inf', t, 'LIMIT', 0, groups)
local for_others = groups - math.min(#looks, math.ceil(groups / 8))
for _, member in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', t, 'LIMIT', 0, 640)) do
  local kind, id = string.sub(member, 1, 1), string.sub(member, 3)
  if kind == 'g' then
    if #views < for_others and budget > 0 then claim_group(id) end
  elseif kind == 'd' then
    local target = enqueue(id, t, true)
    if target then touched[target] = true else redis.call('ZREM', DUE, member) end
  elseif kind == 'w' then
    walk = 1
    redis.call('ZADD', DUE, t + lease, member)
  else
    touched[id] = true
  end
end
for _, gid in ipairs(looks) do
  -- One that was claimed above is no longer among them.
  if #views < groups and budget > 0 and redis.call('ZSCORE', LOOKS, gid) then claim_group(gid) end
end
drain_all(touched, t, lease, room, claimed)
local first = math.huge
for _, set in ipairs({ DUE, LOOKS }) do
  first = math.min(first, tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]) or math.huge)
end
local wait = first < math.huge and math.max(0, first - t) or -1
local version = tonumber(redis.call('HGET', HOLDS, 'version')) or 0
return { 'ok', views, claimed, wait, lateness, redis.call('SCARD', MOVED), walk, version }
