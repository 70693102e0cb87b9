-- KEYS: box counts flight results taken     ARGV: camera token seconds provider
-- Returns {jpeg, meta, seq, attempt, taken_at, policy, operation, target} of the newest frame, the same one for the same token; nil when there is none.
local box, counts, flight, results, taken = unpack(KEYS)
local camera, token, seconds, provider = unpack(ARGV)
local now = clock()
if redis.call('EXISTS', taken) == 0 then
  if redis.call('HGET', box, 'token') ~= token or redis.call('HEXISTS', box, 'jpeg') == 0 then return nil end
  reap(camera, flight, counts, results, now)
  redis.call('RENAME', box, taken)
  redis.call('HSET', taken, 'taken_at', stamp(now), 'provider', provider)
  redis.call('EXPIRE', taken, FRAME_LIFE)
  redis.call('HSET', counts, 'waiting', 0)
  redis.call('ZADD', flight, stamp(now + tonumber(seconds)), token)
end
return redis.call('HMGET', taken, 'jpeg', 'meta', 'seq', 'attempt', 'taken_at', 'policy', 'operation', 'target')
