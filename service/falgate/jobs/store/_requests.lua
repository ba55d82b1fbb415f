-- Queued requests: a hash each, with the id of the job that brings its pictures.
-- `waiters` is a sorted set of all requests that wait for one flight, queued or on a connection;
-- the score is the time, in ms, until which they wait. A job is not given up while somebody waits
-- for it.
-- An idempotency key is a hash: the id of its request, the digest of what that one asked, and when
-- it ended.
local WAITERS_KEPT_S = 86400
local function wait_for(waiters, request_id, until_ms)
  redis.call('ZADD', waiters, until_ms, request_id)
  redis.call('EXPIRE', waiters, WAITERS_KEPT_S)
end
-- Returns the script's answer if a request must not be stored (again), or nil.
local function known_request(request, idempotency, was_job, digest, repeats_ms, now)
  local known = redis.call('HMGET', request, 'state', 'job')
  if known[1] and known[1] ~= 'open' then return {'ended'} end
  -- It already has its next job: the caller's first reply was lost, or another instance was faster.
  if known[1] and known[2] ~= was_job then return {'joined', known[2]} end
  if known[1] or digest == '' then return nil end
  local before = redis.call('HMGET', idempotency, 'request', 'digest', 'ended_ms')
  if not before[1] then return nil end
  if repeats_ms > 0 and before[3] and tonumber(before[3]) + repeats_ms <= now then return nil end
  if before[2] ~= digest then return {'mismatched'} end
  return {'repeated', before[1]}
end
local function keep_request(request, idempotency, id, asked, arguments, digest, now)
  if redis.call('EXISTS', request) == 1 then return end
  redis.call('HSET', request, 'state', 'open', 'asked', asked, 'arguments', arguments,
    'began_ms', whole(now))
  if digest ~= '' then
    redis.call('DEL', idempotency)
    redis.call('HSET', idempotency, 'request', id, 'digest', digest)
  end
end
-- Assign a request to a job, as its leader ('1') or not ('0'), and start the request's lease.
local function point_request(request, pending, id, job, leads, pool, flight, lease_until_ms)
  redis.call('HSET', request, 'job', job, 'leads', leads, 'pool', pool, 'flight', flight)
  redis.call('ZADD', pending, whole(lease_until_ms), id)
end
-- End a request. Its arguments are deleted: they contain the prompt and are no longer needed.
local function end_request(request, answered, idempotency, repeatable, id, state, outcome, now)
  redis.call('HSET', request, 'state', state, 'outcome', outcome, 'ended_ms', whole(now))
  redis.call('HDEL', request, 'arguments')
  redis.call('ZADD', answered, whole(now), id)
  if repeatable ~= '' and redis.call('HGET', idempotency, 'request') == id then
    redis.call('HSET', idempotency, 'ended_ms', whole(now))
  end
end
