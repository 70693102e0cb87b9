-- KEYS: box counts mailboxes again newest     ARGV: camera.     The camera is gone: what waits is dropped, and counted.
local box, counts, mailboxes, again, newest = unpack(KEYS)
add(counts, 'dropped:removed', redis.call('HEXISTS', box, 'jpeg') + redis.call('LLEN', again))
for _, token in ipairs(redis.call('LRANGE', again, 0, -1)) do redis.call('DEL', PREFIX .. 'taken:' .. token) end
redis.call('DEL', box, again, newest)
redis.call('SREM', mailboxes, ARGV[1])
redis.call('EXPIRE', counts, 86400)
return 1
