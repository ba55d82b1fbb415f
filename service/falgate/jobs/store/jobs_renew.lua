#!lua flags=allow-oom
-- Move the end of a job's lease; a lease of 0 ms hands the job over at once. Fenced by epoch.
-- Returns 1, or 0 if the job is no longer the caller's or has ended.
local job = KEYS[1]
local open_jobs = KEYS[2]
local job_id = ARGV[1]
local epoch = ARGV[2]
local lease_ms = digits(ARGV[3])

if redis.call('HGET', job, 'epoch') ~= epoch then return 0 end
if not redis.call('ZSCORE', open_jobs, job_id) then return 0 end
redis.call('ZADD', open_jobs, whole(now_ms() + lease_ms), job_id)
return 1
