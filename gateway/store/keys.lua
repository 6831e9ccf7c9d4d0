-- The names of all keys of one shard, from its prefix (KEYS[1]); gateway/store/keys.py says what each holds.
local P = KEYS[1]
local DUE, GROUPS, OPEN, DEAD = P .. ':due', P .. ':groups', P .. ':open', P .. ':dead'
local UNSENT, FAILING = P .. ':unsent', P .. ':failing'
local SLOTS, CLOSED, PLAN, HEARD = P .. ':slots', P .. ':closed', P .. ':plan', P .. ':heard'
local UNRESOLVED, RESOLVED, ACTIVITY = P .. ':unresolved', P .. ':resolved', P .. ':activity'
local function key(kind, id) return P .. ':' .. kind .. ':' .. id end
