#!lua flags=allow-oom
-- paid -> finished: end the job and its flight, and wake its waiters. Fenced by epoch.
-- The flight leaves a marker with the pool's version, so that a reader of an older version does not
-- buy. A count of 0 means that nothing was published: no marker. A flight beside its pool's leaves
-- its marker on the pool's flight, unless that is open or has a newer marker.
-- Returns 'finished', or 'fenced' if the job is no longer the caller's.
local job = KEYS[1]
local open_jobs = KEYS[2]
local ended_jobs = KEYS[3]
local flight = KEYS[4]
local markers = KEYS[5]
local pool_flight = KEYS[6]
local job_id = ARGV[1]
local epoch = ARGV[2]
local pictures = ARGV[3]
local generation = digits(ARGV[4])
local count = digits(ARGV[5])
local marker_ms = digits(ARGV[6])
local fingerprint = ARGV[7]
local wake = ARGV[8]
local kept = ARGV[9]

local known = redis.call('HMGET', job, 'state', 'epoch')
if known[1] == 'finished' then return 'finished' end
if known[1] ~= 'paid' or known[2] ~= epoch then return 'fenced' end
local now = now_ms()
redis.call('HSET', job, 'state', 'finished', 'pictures', pictures, 'kept', kept,
  'finished_ms', whole(now))
redis.call('HDEL', job, 'input', 'output', 'trouble', 'troubled_ms')
redis.call('ZREM', open_jobs, job_id)
redis.call('ZADD', ended_jobs, whole(now), job_id)
if redis.call('GET', flight) == 'open:' .. job_id then
  redis.call('DEL', flight)
  local there = redis.call('GET', pool_flight) or 'done::0:0'
  local made, length = there:match('^done:[^:]*:(%d+):(%d+)$')
  made, length = tonumber(made), tonumber(length)
  if count > 0 and made and (made < generation or (made == generation and length < count)) then
    redis.call('SET', pool_flight,
      'done:' .. job_id .. ':' .. whole(generation) .. ':' .. whole(count))
    redis.call('ZADD', markers, whole(now + marker_ms), fingerprint)
  end
end
redis.call('PUBLISH', wake, job_id)
return 'finished'
