-- plan(prefix | digest, generation, schema) -> {generation, digest} that are in force in this shard afterwards
-- Puts a configuration in force if it is newer than the one that is: of a higher generation, or, where two processes
-- have loaded different ones at once, of the greater digest. Generation 0 only asks. {-1, ''} where the records are of
-- another schema: a version of Tocsin that this one cannot read has written here.
--
-- KEYS[1]  the shard's prefix. Touches plan.
local digest, generation, schema = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local v = redis.call('HMGET', PLAN, 'gen', 'digest', 'schema')
if v[3] and v[3] ~= schema then return { -1, '' } end
local present, known = tonumber(v[1]) or 0, v[2] or ''
if generation > present or (generation == present and generation > 0 and digest > known) then
  redis.call('HSET', PLAN, 'gen', generation, 'digest', digest, 'schema', schema)
  return { generation, digest }
end
return { present, known }
