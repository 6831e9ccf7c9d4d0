-- ingest(prefix | gen, dedup, lease, room, units, contents...) -> {'ok', counts per unit, views claimed} | {'plan'}
-- Takes in at most 1,000 alerts of any number of groups of one shard, in one atomic and durable step.
--
-- KEYS[1]  the shard's prefix. Touches of each group: g, s, c, f, e, x, gd; and due, looks, groups, plan, d of claimed groups.
-- gen      the generation of the plan that routed these alerts; another one is in force: nothing is taken.
-- dedup    JSON: reorder, confirm, stale_after, remember, fresh (ms)
-- lease    ms; room: how many groups that are due at once may be claimed for the caller
-- units    JSON: [[group, digest, meta, wait, interval, [[alert, firing, start, ended, until, rank, grace, slots]...], size]...]
--          grace: ms for an alert that a rule could inhibit; slots: where it is a source, '' for nowhere
--          Without alerts it only asks whether the digest says it all.
-- contents one argument for each alert, in order
-- A unit's counts: {accepted, repeated, suspected, recorded}; false where it must come with its alerts.
-- The last answer says how many sources have moved and are not in the index yet.
if in_force() ~= ARGV[1] then return { 'plan' } end
local dedup = cjson.decode(ARGV[2])
local lease, room = tonumber(ARGV[3]), tonumber(ARGV[4])
local t = now()
local content_at, counts, claimed, unanswered = 5, {}, {}, {}
local COUNTED = { new = 1, continued = 1, ended = 1, repeated = 2, suspected = 3, recorded = 4 }

-- The same body again, and nothing has changed since: the usual case, answered from three fields.
local function same_again(gid, digest)
  local v = redis.call('HMGET', key('g', gid), 'digest', 'digest_seq', 'digest_at', 'seq')
  return v[1] == digest and v[2] == v[4] and t - tonumber(v[3]) < dedup.fresh
end

local function take(unit)
  local gid, digest, meta, wait, interval, alerts = unpack(unit)
  local g, count, states, contents = load_group(gid), { 0, 0, 0, 0 }, {}, {}
  if g.known then
    local keys = {}
    for i, alert in ipairs(alerts) do keys[i] = alert[1] end
    states = redis.call('HMGET', key('s', gid), unpack(keys))
    contents = redis.call('HMGET', key('c', gid), unpack(keys))
  else
    redis.call('SADD', GROUPS, gid)
  end
  local overdue, settled, fresh, grace, beginners = false, true, {}, 0, {}
  for i, alert in ipairs(alerts) do
    local akey, firing, start, ended, till, rank, patience, slots = unpack(alert)
    local k = fresh[akey] or (states[i] and cjson.decode(states[i])) or unknown(rank)
    local status, seen, first, latest, over, before = k[STATUS], k[SEEN], k[START], k[LATEST], k[ENDED], k[UNTIL]
    local news = arrive(k, firing == 1, start, ended, till, t, dedup)
    count[COUNTED[news]] = count[COUNTED[news]] + 1
    local moved = status ~= k[STATUS] or first ~= k[START] or latest ~= k[LATEST] or over ~= k[ENDED] or before ~= k[UNTIL]
    if news ~= 'repeated' or moved or t - seen >= dedup.fresh then
      if news == 'new' or news == 'continued' then k[RANK] = rank end
      apply(g, akey, k, news, dedup)
      fresh[akey] = k
    end
    if contents[i] ~= ARGV[content_at + i] then push(g.contents, akey, ARGV[content_at + i]) end
    if news == 'new' or news == 'continued' then
      if start + wait < t then overdue = true end
      if g.clocked == 1 and rank < g.worst then g.worse = true end
      if slots and slots ~= '' then source_fires(g, akey, k, slots) end
      if patience and patience > 0 then
        grace = patience
        beginners[#beginners + 1] = akey
      end
    end
    if news ~= 'repeated' and news ~= 'recorded' then settled = false end
  end
  save_group(g, t, meta, wait, interval, overdue, grace, beginners)
  -- Only a body that would be a repeat the next time too may be answered from its digest.
  -- One that was not may have changed what an earlier one is now (a suspect; it leaves `seq` alone).
  redis.call('HSET', g.key, 'digest', settled and digest or '', 'digest_seq', g.seq, 'digest_at', t)
  if g.next <= t and g.lease <= t and #claimed < room then
    lease_group(g, t, lease)
    claimed[#claimed + 1] = gid
  end
  return count
end

for i, unit in ipairs(cjson.decode(ARGV[5])) do
  local alerts, size = unit[6], unit[7]
  -- What follows an unanswered body of the same group waits for it: their order is the order of their arrival.
  if unanswered[unit[1]] then
    counts[i] = false
  elseif same_again(unit[1], unit[2]) then
    counts[i] = { 0, size, 0, 0 }
  else
    counts[i] = #alerts == size and take(unit)
    unanswered[unit[1]] = not counts[i]
  end
  content_at = content_at + #alerts
end
for i, gid in ipairs(claimed) do claimed[i] = view(gid, t) end
return { 'ok', counts, claimed, redis.call('SCARD', MOVED) }
