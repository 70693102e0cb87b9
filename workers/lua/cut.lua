-- A call was throttled. KEYS: rate     ARGV: quota sent_at.
-- Cuts the shared rate once for all calls that were sent before the last cut; returns the rate now.
local CUT, LEAST, REGROWTH = 0.7, 0.05, 0.05
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1e6
local quota, sent_at = tonumber(ARGV[1]), tonumber(ARGV[2])
local rate, cut_at = unpack(redis.call('HMGET', KEYS[1], 'rate', 'cut_at'))
rate, cut_at = tonumber(rate) or quota, tonumber(cut_at or 0)
if cut_at > now + 60 then cut_at = 0 end  -- from before a step of the clock
rate = math.min(quota, rate + quota * REGROWTH * math.max(0, now - cut_at))
if sent_at > cut_at then
  rate = math.max(rate * CUT, quota * LEAST)
  redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'cut_at', string.format('%.6f', now), 'quota', tostring(quota))
  redis.call('HINCRBY', KEYS[1], 'cuts', 1)
  redis.call('EXPIRE', KEYS[1], 3600)
end
return tostring(rate)
