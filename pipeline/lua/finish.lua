-- KEYS: counts flight results taken newest done overtaken     ARGV: camera token outcome result keep_seconds which jpeg
-- `which` picture is kept: own, other (`jpeg` instead of the frame's), or none.
-- Publishes and counts once; returns {what, id, published_at}, the same for a repeated call.
local OVERTAKEN = 5         -- seconds that an analysed frame is kept which a newer one was ahead of
local counts, flight, results, taken, newest, done, overtaken = unpack(KEYS)
local camera, token, outcome, result, keep, which, jpeg = unpack(ARGV)
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
  if outcome == 'analysed' and which ~= 'none' then
    if which == 'other' then redis.call('HSET', taken, 'jpeg', jpeg) end
    local is_newest = tonumber(redis.call('HGET', newest, 'seq') or 0) < tonumber(redis.call('HGET', taken, 'seq'))
    local kept = is_newest and newest or overtaken
    redis.call('RENAME', taken, kept)
    redis.call('HSET', kept, 'result_id', answer[2])
    redis.call('EXPIRE', kept, is_newest and keep or OVERTAKEN)
  else
    redis.call('DEL', taken)
  end
end
if is_of_a_track(camera) then redis.call('EXPIRE', counts, 600) end  -- should it come late, when the sweep was there before
redis.call('SET', done, cjson.encode(answer), 'EX', 60)
return answer
