-- GCRA on Redis's clock for all workers everywhere, and the budget in the same step.
-- KEYS: rate budget     ARGV: quota burst cost_micros held_seconds
-- Returns {what, seconds, rate}: go (the slot is `seconds` away and committed), probe (the same, after calls were
-- held back: the others wait until this one has told), or later, held, unseeded, spent: ask again after `seconds`.
local PACE = 0.995          -- of the quota: clocks differ a little
local REGROWTH = 0.05       -- of the quota, a second, after a throttle cut the rate
local NEAR = 0.05           -- seconds: a slot further away is not committed, lest a killed process take it along
local CLOCK_STEP = 60       -- seconds: a time further ahead is from before a step of the clock

local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1e6
local quota, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'tat', 'rate', 'cut_at', 'held_until')
local tat, cut_rate, cut_at, held_until = tonumber(state[1] or 0), tonumber(state[2]), tonumber(state[3] or 0), tonumber(state[4] or 0)

if cut_at > now + CLOCK_STEP then cut_at = now end
if held_until > now and held_until < now + CLOCK_STEP then return {'held', tostring(held_until - now), tostring(quota)} end
local probe = held_until > 0

local rate = quota
if cut_rate then rate = math.min(quota, cut_rate + quota * REGROWTH * math.max(0, now - cut_at)) end
local spacing = 1 / (rate * PACE)
if tat > now + CLOCK_STEP then tat = now end
tat = math.max(tat, now - (burst - 1) * spacing)

local wait = math.max(0, tat - now)
local horizon = math.max(spacing, NEAR)
if wait > horizon then return {'later', tostring(wait - horizon), tostring(rate)} end

if cost > 0 then
  local first, last, limit, spent = unpack(redis.call('HMGET', KEYS[2], 'start', 'end', 'limit', 'spent'))
  if not first or now >= tonumber(last) or now < tonumber(first) then return {'unseeded', '1', tostring(rate)} end
  if tonumber(spent) + cost > tonumber(limit) then return {'spent', tostring(tonumber(last) - now), tostring(rate)} end
  redis.call('HINCRBY', KEYS[2], 'spent', cost)
end
redis.call('HSET', KEYS[1], 'tat', string.format('%.6f', tat + spacing), 'quota', tostring(quota))
redis.call('EXPIRE', KEYS[1], 3600)
if probe then redis.call('HSET', KEYS[1], 'held_until', string.format('%.6f', now + wait + tonumber(ARGV[4]))) end
return {probe and 'probe' or 'go', tostring(wait), tostring(rate)}
