#!lua flags=allow-oom
-- Bind fal's request id to a job: submitting -> accepted; also reserved -> accepted, if Redis has
-- lost the job's mark.
-- Not fenced: what fal said is true whoever reports it, and a worker that lost its lease must not
-- lose the request id.
-- A lease of 0 ms comes from a caller that will not run the job. It then goes to the reaper only if
-- nobody works on it, which is so if it was in trouble.
-- The accounts (more_keys) begin at KEYS[4], in the order of the hold.
-- Returns 'accepted'; 'second' if the job has another request id or the id another job; or 'gone'.
local job = KEYS[1]
local open_jobs = KEYS[2]
local submits = KEYS[3]
local job_id = ARGV[1]
local request_id = ARGV[2]
local lease_ms = digits(ARGV[3])
local first_account = 4

local bound = redis.call('HGET', submits, request_id)
local known = redis.call('HMGET', job,
  'state', 'request_id', 'trouble', 'accounts', 'held', 'submitted_ms')
if not known[1] then return 'gone' end
if (bound and bound ~= job_id) or (known[2] and known[2] ~= request_id) then return 'second' end
same_accounts(first_account, known[4])
redis.call('HSET', submits, request_id, job_id)
redis.call('HSET', job, 'request_id', request_id)
if known[1] == 'reserved' then
  for i = first_account, #KEYS do redis.call('HINCRBY', KEYS[i], 'waiting', '-' .. known[5]) end
end
if known[1] == 'submitting' or known[1] == 'reserved' then
  local now = whole(now_ms())
  redis.call('HSET', job, 'state', 'accepted', 'submitted_ms', known[6] or now,
    'accepted_ms', now)
  redis.call('HDEL', job, 'trouble', 'troubled_ms')
  if lease_ms > 0 or known[3] then
    redis.call('ZADD', open_jobs, whole(now_ms() + lease_ms), job_id)
  end
end
return 'accepted'
