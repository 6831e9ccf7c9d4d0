-- plan(prefix | digest, loaded, schema) -> the generation to work with; 0 where another configuration is in force;
-- -1 where the records are of another schema: a version of Tocsin that this one cannot read has written here
-- A process that has just loaded its configuration (loaded = 1) puts it in force; others only ask.
--
-- KEYS[1]  the shard's prefix. Touches plan.
local digest, loaded = ARGV[1], ARGV[2] == '1'
local schema = ARGV[3]
local v = redis.call('HMGET', PLAN, 'gen', 'digest', 'schema')
if v[3] and v[3] ~= schema then return -1 end
if v[2] == digest then return tonumber(v[1]) end
if not loaded then return 0 end
local generation = (tonumber(v[1]) or 0) + 1
redis.call('HSET', PLAN, 'gen', generation, 'digest', digest, 'schema', schema)
return generation
