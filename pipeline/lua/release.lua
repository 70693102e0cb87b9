-- KEYS: box     ARGV: token.     The job gives up before it took the frame: the next offer or sweep enqueues another.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'since', '0')
return 1
