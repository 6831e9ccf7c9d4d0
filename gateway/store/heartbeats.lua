-- heartbeats(prefix | step, ...)
-- When each heartbeat was last heard. A record is JSON: [first known, last beat (0: none), what is missing (JSON text, '': nothing)].
--
-- KEYS[1]  the prefix of the shard that keeps them. Touches heartbeats, heard, plan.
-- beat    names... -> ms: they have beaten now
-- look    generation, gap, names... -> {'ok', now, listened since when, names and records...} | {'plan'}
--         Of all that there are. Those named are known from now on; others that miss nothing are forgotten.
-- change  {name, before, after}... -> 1 or 0 for each: it is written only if its record still is `before`, byte by byte
local BEATS = P .. ':heartbeats'
local step, t = ARGV[1], now()

if step == 'beat' then
  for i = 2, #ARGV do
    local record = redis.call('HGET', BEATS, ARGV[i])
    local pulse = record and cjson.decode(record) or { t, 0, '' }
    pulse[2] = math.max(pulse[2], t)
    redis.call('HSET', BEATS, ARGV[i], cjson.encode(pulse))
  end
  return t
end

if step == 'change' then
  local written = {}
  for i = 2, #ARGV, 3 do
    local stands = redis.call('HGET', BEATS, ARGV[i]) == ARGV[i + 1]
    if stands then redis.call('HSET', BEATS, ARGV[i], ARGV[i + 2]) end
    written[#written + 1] = stands and 1 or 0
  end
  return written
end

if in_force() ~= ARGV[2] then return { 'plan' } end
-- Absence counts only while we listened: as claim.lua counts, which alone writes it down.
local heard = redis.call('HMGET', HEARD, 'alive', 'since')
local alive, since = tonumber(heard[1]) or 0, tonumber(heard[2]) or t
if t - alive > tonumber(ARGV[3]) then since = t end

local wanted, found = {}, { 'ok', t, since }
for i = 4, #ARGV do
  wanted[ARGV[i]] = true
  redis.call('HSETNX', BEATS, ARGV[i], cjson.encode({ t, 0, '' }))
end
local records = redis.call('HGETALL', BEATS)
for i = 1, #records, 2 do
  if not wanted[records[i]] and cjson.decode(records[i + 1])[3] == '' then
    redis.call('HDEL', BEATS, records[i])
  else
    found[#found + 1] = records[i]
    found[#found + 1] = records[i + 1]
  end
end
return found
