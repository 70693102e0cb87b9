-- KEYS: box     ARGV: token.     Renews the lease of a job that waits for its slot; 0 when the job is stale.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'since', stamp(clock()))
return 1
