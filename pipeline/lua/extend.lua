-- KEYS: flight     ARGV: token seconds.     The worker still has the frame; 0 when it was given up as lost meanwhile.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], stamp(clock() + tonumber(ARGV[2])), ARGV[1])
return 1
