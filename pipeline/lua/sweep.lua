-- KEYS: box counts flight queue results mailboxes again     ARGV: camera token
-- What no producer or worker may be left to notice: lost frames, lost jobs. Returns the token of a job to enqueue, or ''.
local box, counts, flight, queue, results, mailboxes, again = unpack(KEYS)
local camera, token = unpack(ARGV)
local now = clock()
reap(camera, flight, counts, results, now)
revive(camera, box, counts)
if is_of_a_track(camera) and not is_full(box, counts) and redis.call('ZCARD', flight) + redis.call('LLEN', again) == 0 then
  redis.call('SREM', mailboxes, camera)
  redis.call('DEL', counts, box)
  return ''
end
if not is_full(box, counts) or job_is_alive(box, queue, camera, now) then return '' end
redis.call('HINCRBY', counts, 'reenqueued', 1)
return new_job(box, token, now)
