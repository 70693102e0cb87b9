-- KEYS: counts flight results taken newest done     ARGV: camera token outcome result keep_seconds
-- Publishes and counts once; returns {what, id, published_at}, the same for a repeated call.
local counts, flight, results, taken, newest, done = unpack(KEYS)
local camera, token, outcome, result, keep = unpack(ARGV)
local before = redis.call('GET', done)
if before then return cjson.decode(before) end

local now = clock()
local answer
if redis.call('ZREM', flight, token) == 0 then
  redis.call('HINCRBY', counts, 'late', 1)
  answer = {'late', '', stamp(now)}
else
  redis.call('HINCRBY', counts, outcome, 1)
  answer = {'counted', publish(results, camera, now, result), stamp(now)}
  local seq = tonumber(redis.call('HGET', taken, 'seq'))
  if outcome == 'analysed' and tonumber(redis.call('HGET', newest, 'seq') or 0) < seq then
    redis.call('RENAME', taken, newest)
    redis.call('HSET', newest, 'result_id', answer[2])
    redis.call('EXPIRE', newest, keep)
  else
    redis.call('DEL', taken)
  end
end
redis.call('SET', done, cjson.encode(answer), 'EX', 60)
return answer
