-- What the mailbox's scripts share; put in front of each of them. Keys, for one camera:
--   box     hash   the waiting frame (jpeg, meta, seq, attempt, policy, operation, target) and its job (token, since)
--   counts  hash   frame counters, and the ledger of the producer (epoch, number, settled:CAUSE)
--   flight  zset   token -> deadline of the frames that workers hold
--   again   list   tokens of `every` frames whose worker was lost
local LOST_AFTER = 3        -- seconds without a sign of life of a waiting job
local TRIES = 5             -- workers an `every` frame may lose before it fails
local FRAME_LIFE = 600      -- seconds that a picture stays, should nobody ever come for it
local CLOCK_STEP = 60       -- seconds: a time further ahead is from before a step of the clock
local PREFIX = 'rekstream:'

local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1e6
end

local function stamp(seconds)
  return string.format('%.6f', seconds)
end

local function key_of(kind, camera)
  return PREFIX .. kind .. ':' .. camera
end

-- Mailboxes of tracks (CAMERA:NUMBER) come and go with people: nothing of them stays.
local function is_of_a_track(camera)
  return string.find(camera, ':%d+$') ~= nil
end

local function add(counts, field, n)
  if n > 0 then redis.call('HINCRBY', counts, field, n) end
end

-- Bring the counters up to the producer's statement; each sampled frame is counted once, whatever was repeated or lost.
-- Returns how many frames are new to us, and how many of those no cause explains.
local function settle(counts, statement)
  local number, known = statement.base, statement.base_drops
  if redis.call('HGET', counts, 'epoch') == statement.epoch then
    number = tonumber(redis.call('HGET', counts, 'number'))
    known = nil
  else
    for _, field in ipairs(redis.call('HKEYS', counts)) do
      if string.sub(field, 1, 8) == 'settled:' then redis.call('HDEL', counts, field) end
    end
    redis.call('HSET', counts, 'epoch', statement.epoch)
  end
  local new = statement.number - number
  if new <= 0 then return 0, 0 end
  local explained = 0
  for cause, total in pairs(statement.drops) do
    local before = tonumber(redis.call('HGET', counts, 'settled:' .. cause)) or (known and known[cause]) or 0
    add(counts, 'dropped:' .. cause, total - before)
    explained = explained + math.max(0, total - before)
    redis.call('HSET', counts, 'settled:' .. cause, total)
  end
  redis.call('HSET', counts, 'number', statement.number)
  redis.call('HINCRBY', counts, 'sampled', new)
  return new, new - explained
end

-- A waiting frame's job is queued (it stands in the list), held (its thread renewed `since`), or lost.
local function job_is_alive(box, queue, camera, now)
  local since = tonumber(redis.call('HGET', box, 'since') or 0)
  if since <= now + CLOCK_STEP and now - since < LOST_AFTER then return true end
  local token = redis.call('HGET', box, 'token')
  if token and redis.call('LPOS', queue, string.gsub(camera, ':', '_') .. '-' .. token) then
    redis.call('HSET', box, 'since', stamp(now))
    return true
  end
  return false
end

local function new_job(box, token, now)
  redis.call('HSET', box, 'token', token, 'since', stamp(now))
  return token
end

local function publish(results, camera, now, data)
  return redis.call('XADD', results, 'MINID', '~', math.floor((now - 600) * 1000), '*',
    'camera', camera, 'published_at', stamp(now), 'result', data)
end

local function publish_lost(results, camera, now, frame)
  local meta = cjson.decode(redis.call('HGET', frame, 'meta'))
  local operation, provider, attempt = unpack(redis.call('HMGET', frame, 'operation', 'provider', 'attempt'))
  publish(results, camera, now, cjson.encode({
    seq = tonumber(redis.call('HGET', frame, 'seq')), captured_at = meta.captured_at,
    width = meta.width, height = meta.height, provider = provider or '', operation = operation or nil,
    paid_before = tonumber(attempt or 1) > 1 and tonumber(attempt) - 1 or nil,
    error = {Code = 'WorkerLost', Message = 'the worker that held this frame did not come back'}}))
end

-- Frames whose deadline has passed: `latest` ones have failed, `every` ones are to be tried again.
local function reap_those(tokens, camera, flight, counts, results, now)
  for _, token in ipairs(tokens) do
    local frame = PREFIX .. 'taken:' .. token
    redis.call('ZREM', flight, token)
    local policy, attempt = unpack(redis.call('HMGET', frame, 'policy', 'attempt'))
    if policy == 'every' and tonumber(attempt) < TRIES then
      redis.call('RPUSH', key_of('again', camera), token)
      redis.call('HINCRBY', counts, 'retried', 1)
    else
      add(counts, 'failed:lost', 1)
      if policy then publish_lost(results, camera, now, frame) end
      redis.call('DEL', frame)
    end
  end
end

local function reap(camera, flight, counts, results, now)
  reap_those(redis.call('ZRANGEBYSCORE', flight, '-inf', stamp(now)), camera, flight, counts, results, now)
  reap_those(redis.call('ZRANGEBYSCORE', flight, stamp(now + FRAME_LIFE), '+inf'), camera, flight, counts, results, now)
end

-- A waiting frame is kept for FRAME_LIFE after its camera's last sign; one that expired is counted when it is missed.
local function is_full(box, counts)
  if redis.call('HEXISTS', box, 'jpeg') == 1 then return true end
  if redis.call('HGET', counts, 'waiting') == '1' then
    redis.call('HINCRBY', counts, 'dropped:expired', 1)
    redis.call('HSET', counts, 'waiting', 0)
  end
  return false
end

local function fill(box, counts)
  redis.call('HSET', counts, 'waiting', 1)
  redis.call('EXPIRE', box, FRAME_LIFE)
end

-- Put a frame that is to be tried again into the empty mailbox. Returns whether there was one.
local function revive(camera, box, counts)
  if is_full(box, counts) then return false end
  local token = redis.call('LPOP', key_of('again', camera))
  while token do
    local frame = PREFIX .. 'taken:' .. token
    if redis.call('EXISTS', frame) == 1 then
      redis.call('RENAME', frame, box)
      fill(box, counts)
      redis.call('HINCRBY', box, 'attempt', 1)
      redis.call('HSET', box, 'since', '0')
      return true
    end
    add(counts, 'failed:lost', 1)
    token = redis.call('LPOP', key_of('again', camera))
  end
  return false
end
