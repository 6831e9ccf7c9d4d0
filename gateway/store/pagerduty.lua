-- pagerduty(prefix | step, ...)
-- Events that PagerDuty has sent us: each is taken once, and kept until it is worked on, by whoever claims it.
--
-- KEYS[1]  the prefix of the shard that keeps them. Touches pagerduty, pagerduty:events, pagerduty:seen:ID; d.
-- take    id, occurred at, window, retention, most, event -> 'kept' | 'known' | 'stale' | 'full'
-- claim   count, lease -> id and event of each that is due, in the order in which they came, leased
-- done    id
-- again   id, delay, event: it is tried later
-- theirs  delivery, key: somebody over there has acknowledged what is open under the key; '' for nobody
local QUEUE, EVENTS = P .. ':pagerduty', P .. ':pagerduty:events'
local step, id, t = ARGV[1], ARGV[2], now()

if step == 'take' then
  if math.abs(t - tonumber(ARGV[3])) > tonumber(ARGV[4]) then return 'stale' end
  local seen = P .. ':pagerduty:seen:' .. id
  if redis.call('EXISTS', seen) == 1 then return 'known' end
  if redis.call('ZCARD', QUEUE) >= tonumber(ARGV[6]) then return 'full' end
  redis.call('SET', seen, '', 'PX', ARGV[5])
  redis.call('HSET', EVENTS, id, ARGV[7])
  redis.call('ZADD', QUEUE, t, id)
  return 'kept'
end

if step == 'claim' then
  local found = {}
  for _, due in ipairs(redis.call('ZRANGEBYSCORE', QUEUE, '-inf', t, 'LIMIT', 0, ARGV[2])) do
    local event = redis.call('HGET', EVENTS, due)
    if event then
      found[#found + 1] = { due, event }
      redis.call('ZADD', QUEUE, t + tonumber(ARGV[3]), due)
    else
      redis.call('ZREM', QUEUE, due)
    end
  end
  return found
end

if step == 'theirs' then
  local k = key('d', id)
  if redis.call('EXISTS', k) == 1 then redis.call('HSET', k, 'theirs', ARGV[3]) end
  return 1
end

if step == 'again' and redis.call('HEXISTS', EVENTS, id) == 1 then
  redis.call('HSET', EVENTS, id, ARGV[4])
  redis.call('ZADD', QUEUE, t + tonumber(ARGV[3]), id)
end
if step == 'done' then
  redis.call('HDEL', EVENTS, id)
  redis.call('ZREM', QUEUE, id)
end
return 1
