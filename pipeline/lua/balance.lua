-- KEYS: counts flight again.     Returns {counters as a flat list, frames in flight} at one moment.
local waiting = tonumber(redis.call('HGET', KEYS[1], 'waiting') or 0) + redis.call('LLEN', KEYS[3])
return {redis.call('HGETALL', KEYS[1]), redis.call('ZCARD', KEYS[2]) + waiting}
