-- KEYS: box     ARGV: token.     Renews the lease of a job that waits for its slot.
-- Returns the operation that the waiting frame asks for ('' is DetectFaces); nil when the job is stale.
local token, operation = unpack(redis.call('HMGET', KEYS[1], 'token', 'operation'))
if token ~= ARGV[1] then return nil end
redis.call('HSET', KEYS[1], 'since', stamp(clock()))
return operation or ''
