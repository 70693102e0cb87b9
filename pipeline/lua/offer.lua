-- KEYS: box counts flight queue results fence mailboxes     ARGV: camera statement jpeg meta policy token fence operation target
-- Returns {what, token of the job to enqueue or ''}.
local box, counts, flight, queue, results, fence, mailboxes = unpack(KEYS)
local camera, statement, jpeg, meta, policy, token, my_fence, operation, target = unpack(ARGV)
local now = clock()
if my_fence ~= '' and tonumber(redis.call('GET', fence) or 0) > tonumber(my_fence) then return {'fenced', ''} end
statement = cjson.decode(statement)

if redis.call('HGET', counts, 'epoch') == statement.epoch
    and statement.number <= tonumber(redis.call('HGET', counts, 'number')) then
  return {'duplicate', ''}
end

redis.call('SADD', mailboxes, camera)
reap(camera, flight, counts, results, now)
revive(camera, box, counts)
local full = is_full(box, counts)
if full and policy == 'every' then
  fill(box, counts)
  if job_is_alive(box, queue, camera, now) then return {'full', ''} end
  redis.call('HINCRBY', counts, 'reenqueued', 1)
  return {'full', new_job(box, token, now)}
end

local _, unexplained = settle(counts, statement)
add(counts, 'dropped:redis', unexplained - 1)      -- offers that never arrived; the last of the new ones is this frame
redis.call('PERSIST', counts)
if full then redis.call('HINCRBY', counts, 'superseded', 1) end
redis.call('HSET', box, 'jpeg', jpeg, 'meta', meta, 'policy', policy, 'attempt', 1,
  'operation', operation, 'target', target, 'seq', redis.call('HGET', counts, 'sampled'))
fill(box, counts)
if full then
  if job_is_alive(box, queue, camera, now) then return {'replaced', ''} end
  redis.call('HINCRBY', counts, 'reenqueued', 1)
  return {'replaced', new_job(box, token, now)}
end
return {'enqueued', new_job(box, token, now)}
