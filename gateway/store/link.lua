-- link(prefix | delivery, channel, ts, told) -> 'unknown', 'known', 'other' or 'linked'
-- Somebody has seen the delivery's message in Slack: a delivery that does not know where its own is, knows it now.
--
-- KEYS[1]  the shard's prefix. Touches d of the delivery.
-- told     what was told there last, as the receiver names it: so that it is not told again.
local did, channel, ts, told = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local v = redis.call('HMGET', key('d', did), 'kind', 'memory')
if v[1] ~= 'slack' then return 'unknown' end
local memory = cjson.decode(v[2] and v[2] ~= '' and v[2] or '{}')
if memory.ts then
  if memory.ts == ts and memory.channel == channel then return 'known' end
  return 'other'
end
memory.channel, memory.ts, memory.told = channel, ts, told
redis.call('HSET', key('d', did), 'memory', cjson.encode(memory))
return 'linked'
