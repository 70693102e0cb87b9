-- KEYS: box counts mailboxes again newest flight overtaken     ARGV: camera.     The camera is gone: what waits is dropped, and counted.
local box, counts, mailboxes, again, newest, flight, overtaken = unpack(KEYS)
add(counts, 'dropped:removed', (is_full(box, counts) and 1 or 0) + redis.call('LLEN', again))
redis.call('HSET', counts, 'waiting', 0)
for _, token in ipairs(redis.call('LRANGE', again, 0, -1)) do redis.call('DEL', PREFIX .. 'taken:' .. token) end
redis.call('DEL', box, again, newest, overtaken)
if redis.call('ZCARD', flight) == 0 then redis.call('SREM', mailboxes, ARGV[1]) end  -- else the sweep has to look after it
redis.call('EXPIRE', counts, 86400)
return 1
