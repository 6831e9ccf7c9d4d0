-- The names of all keys of one shard, from its prefix (KEYS[1]); gateway/store/keys.py says what each holds.
local P = KEYS[1]
local DUE, LOOKS, GROUPS, OPEN, DEAD = P .. ':due', P .. ':looks', P .. ':groups', P .. ':open', P .. ':dead'
local UNSENT, FAILING = P .. ':unsent', P .. ':failing'
local SLOTS, CLOSED, PLAN, HEARD = P .. ':slots', P .. ':closed', P .. ':plan', P .. ':heard'
local UNRESOLVED, RESOLVED, ACTIVITY = P .. ':unresolved', P .. ':resolved', P .. ':activity'
local SOURCES, MOVED, HOLDS = P .. ':sources', P .. ':moved', P .. ':holds'
local function key(kind, id) return P .. ':' .. kind .. ':' .. id end

-- The configuration in force, as a process knows it. Its number alone would not do: of two that were loaded at once, the
-- one that stays may have taken the other's.
local function in_force()
  local v = redis.call('HMGET', PLAN, 'gen', 'digest')
  return (v[1] or '') .. ' ' .. (v[2] or '')
end
