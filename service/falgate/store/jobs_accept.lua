#!lua flags=allow-oom
-- Bind fal's request id to a job: submitting -> accepted. Not fenced: what fal said stays true
-- whoever says it, and a worker that lost its lease must not take the knowledge with it.
-- Returns 'accepted', or 'second' when the job has another id or the id another job.
local job = KEYS[1]
local open_jobs = KEYS[2]
local submits = KEYS[3]
local job_id = ARGV[1]
local request_id = ARGV[2]
local lease_ms = digits(ARGV[3])

local bound = redis.call('HGET', submits, request_id)
local known = redis.call('HMGET', job, 'state', 'request_id')
if not known[1] then return 'second' end
if (bound and bound ~= job_id) or (known[2] and known[2] ~= request_id) then return 'second' end
redis.call('HSET', submits, request_id, job_id)
redis.call('HSET', job, 'request_id', request_id)
if known[1] == 'submitting' then
  redis.call('HSET', job, 'state', 'accepted')
  redis.call('HDEL', job, 'trouble', 'troubled_ms')
  redis.call('ZADD', open_jobs, whole(now_ms() + lease_ms), job_id)
end
return 'accepted'
