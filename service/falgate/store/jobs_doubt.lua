#!lua flags=allow-oom
-- Note why waiting for a job is of no use now, and when somebody should look at it again.
-- Fenced by epoch. Returns 1, or 0 when the job is no longer the caller's or has ended.
local job = KEYS[1]
local open_jobs = KEYS[2]
local job_id = ARGV[1]
local epoch = ARGV[2]
local lease_ms = digits(ARGV[3])
local trouble = ARGV[4]
local wake = ARGV[5]

if redis.call('HGET', job, 'epoch') ~= epoch then return 0 end
if not redis.call('ZSCORE', open_jobs, job_id) then return 0 end
local now = now_ms()
redis.call('HSET', job, 'trouble', trouble)
redis.call('HSETNX', job, 'troubled_ms', whole(now))
redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
redis.call('PUBLISH', wake, job_id)
return 1
