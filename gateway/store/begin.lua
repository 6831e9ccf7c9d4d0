-- begin(prefix | delivery, attempt, lease, shown, holds) -> {'ok', fields, group fields, counts, firing, ended, incident, waited, history}
--   | {'lost'} | {'weigh', gid}
-- The call right before sending: is the attempt still ours? Renews its lease, notes that it begins (so that who comes
-- after a crash knows that it may have arrived), and reads the newest revision, at most `shown` alerts of either kind.
-- holds    1: rules could hold alerts of the group, 0: silences alone; '': what holds is not asked. Where nobody has judged
--          its alerts by the present news, the group is to be weighed first.
--
-- KEYS[1]  the shard's prefix. Touches d of the delivery; g, s, c, f, e, h of its group; i; due, busy, unsent.
local did, attempt, lease, shown = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local t = now()
local k = key('d', did)
if redis.call('HGET', k, 'attempt') ~= attempt then return { 'lost' } end
local v = redis.call('HMGET', k, 'lease', 'gid', 'target', 'begun', 'sent', 'base', 'final', 'wanted', 'incident', 'rung')
if num(v[1]) <= t then return { 'lost' } end
local gid, target = v[2], v[3]
local g = redis.call('HMGET', key('g', gid), 'seq', 'shown', 'meta', 'marks', 'judged', 'weighed', 'by')
if ARGV[5] ~= '' and num(v[7]) == 0 then
  local silences = num(redis.call('HGET', HOLDS, 'version'))
  local unjudged = redis.call('ZCOUNT', key('f', gid), '(' .. num(g[6]), '+inf') > 0
  if num(g[4]) ~= num(g[5]) or silences > num(g[7]) or (ARGV[5] == '1' and unjudged) or (silences > 0 and unjudged) then
    return { 'weigh', gid }
  end
end
redis.call('HSET', k, 'lease', t + lease, 'begun', attempt, 'begun_for', v[9] .. ':' .. v[7])
if num(v[4]) > 0 then redis.call('HSET', k, 'unknown', 1) end
redis.call('ZADD', DUE, t + lease, 'd:' .. did)
redis.call('ZADD', key('busy', target), t + lease, did)

local revision, final = num(g[1]), num(v[7])
if final > 0 then revision = final end
if revision > num(g[2]) then redis.call('HSET', key('g', gid), 'shown', revision) end

local function read_all(keys)
  if #keys == 0 then return { {}, {}, {} } end
  return { keys, redis.call('HMGET', key('s', gid), unpack(keys)), redis.call('HMGET', key('c', gid), unpack(keys)) }
end
local function read(set, low, high, limit)
  return read_all(redis.call('ZRANGEBYSCORE', set, low, high, 'LIMIT', 0, limit))
end
local seen = math.max(num(v[5]), num(v[6]))
local firing, ended = { {}, {}, {} }, read(key('e', gid), '(' .. seen, revision, shown)
local fired, unseen, unheard, held, by = 0, 0, 0, 0, {}
if final == 0 then
  firing = read(key('f', gid), '-inf', '+inf', shown)
  fired, unseen = redis.call('ZCARD', key('f', gid)), redis.call('ZCOUNT', key('f', gid), '(' .. seen, '+inf')
  unheard = redis.call('ZCOUNT', key('f', gid), '(' .. num(v[10]), '+inf')
  held = redis.call('HLEN', key('h', gid))
  -- Where every alert that fires is held, those are shown, with by what: there is no incident without alerts.
  if fired == 0 and held > 0 then
    local cursor, some, keys, known = '0', {}, {}, {}
    if held <= 1000 then -- else it would take long: then any of them will do
      some = redis.call('HKEYS', key('h', gid))
      table.sort(some)
    else
      repeat
        local found
        cursor, found = unpack(redis.call('HSCAN', key('h', gid), cursor, 'COUNT', shown))
        for i = 1, #found, 2 do some[#some + 1] = found[i] end
      until #some > 0 or cursor == '0'
    end
    for i = 1, math.min(#some, shown) do keys[i] = some[i] end
    for _, hold in ipairs(redis.call('HMGET', key('h', gid), unpack(keys))) do
      if hold and not known[hold] then by[#by + 1], known[hold] = hold, true end
    end
    firing = read_all(keys)
    for i, state in ipairs(firing[2]) do
      local alert = state and cjson.decode(state)
      if alert and alert[FREV] == 0 then -- somebody sees now that it fires, so its end is shown too
        alert[FREV] = revision
        redis.call('HSET', key('s', gid), keys[i], cjson.encode(alert))
      end
    end
  end
end
-- Where nobody fires any more but the end has its tick still to come, this attempt shows the last ends without being
-- the end: it counts as having shown what was before them, so that the end has something left to show.
local counted = revision
if final == 0 and fired + held == 0 then
  local last = redis.call('ZRANGE', key('e', gid), -1, -1, 'WITHSCORES')
  if last[2] then counted = math.max(num(v[8]), math.min(revision, num(last[2]) - 1)) end
end
local counts = { fired, redis.call('ZCOUNT', key('e', gid), '(' .. seen, revision), unseen, unheard, held, by }
local kind, history = redis.call('HGET', k, 'kind'), {}
if kind == 'slack' or kind == 'email' then history = redis.call('LRANGE', key('l', v[9]), -20, -1) end -- who shows it
return { 'ok', redis.call('HGETALL', k), { counted, t + lease, t, g[3] or '' }, counts, firing, ended,
  redis.call('GET', key('i', v[9])) or '', t - num(redis.call('ZSCORE', UNSENT, did) or t), history }
