-- KEYS: counts flight box again.     Returns {counters as a flat list, frames in flight} at one moment.
local waiting = redis.call('HEXISTS', KEYS[3], 'jpeg') + redis.call('LLEN', KEYS[4])
return {redis.call('HGETALL', KEYS[1]), redis.call('ZCARD', KEYS[2]) + waiting}
