-- Requests that are kept: a hash each, with the id of the job that brings its pictures. `waiters` has
-- everybody who waits for one flight, kept or on the line, by the end of their patience in ms: a job
-- is not given up under them. An idempotency key is a hash: the request that it stands for, the
-- digest of what that one asked, and when it ended.
local WAITERS_KEPT_S = 86400
local function wait_for(waiters, request_id, until_ms)
  redis.call('ZADD', waiters, until_ms, request_id)
  redis.call('EXPIRE', waiters, WAITERS_KEPT_S)
end
-- Why a request is not to be kept (again): what a script answers then, or nil.
local function known_request(request, idempotency, was_job, digest, repeats_ms, now)
  local known = redis.call('HMGET', request, 'state', 'job')
  if known[1] and known[1] ~= 'open' then return {'ended'} end
  -- It has its next job already: the caller's first reply was lost, or another instance was faster.
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
-- Let a request wait for this job, as its leader ('1') or not ('0'); somebody looks after its lease.
local function point_request(request, pending, id, job, leads, pool, flight, lease_until_ms)
  redis.call('HSET', request, 'job', job, 'leads', leads, 'pool', pool, 'flight', flight)
  redis.call('ZADD', pending, whole(lease_until_ms), id)
end
-- What it was to bring is not needed any more, and has the prompt.
local function end_request(request, answered, idempotency, repeatable, id, state, outcome, now)
  redis.call('HSET', request, 'state', state, 'outcome', outcome, 'ended_ms', whole(now))
  redis.call('HDEL', request, 'arguments')
  redis.call('ZADD', answered, whole(now), id)
  if repeatable ~= '' and redis.call('HGET', idempotency, 'request') == id then
    redis.call('HSET', idempotency, 'ended_ms', whole(now))
  end
end
