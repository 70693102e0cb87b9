-- KEYS: box counts flight queue results     ARGV: camera token
-- What no producer or worker may be left to notice: lost frames, lost jobs. Returns the token of a job to enqueue, or ''.
local box, counts, flight, queue, results = unpack(KEYS)
local camera, token = unpack(ARGV)
local now = clock()
reap(camera, flight, counts, results, now)
revive(camera, box, counts)
if not is_full(box, counts) or job_is_alive(box, queue, camera, now) then return '' end
redis.call('HINCRBY', counts, 'reenqueued', 1)
return new_job(box, token, now)
