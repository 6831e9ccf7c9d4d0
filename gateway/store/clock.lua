-- The only clock: Redis' own, in milliseconds. Stands before every script.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
