#!lua flags=allow-oom
-- Take over a job whose lease ran out. The higher epoch fences its old owner: that one's writes are
-- refused.
-- Returns the new epoch, or 0 if its lease still runs or it has ended.
local job = KEYS[1]
local open_jobs = KEYS[2]
local job_id = ARGV[1]
local owner = ARGV[2]
local lease_ms = digits(ARGV[3])

local lease_until = redis.call('ZSCORE', open_jobs, job_id)
local now = now_ms()
if not lease_until or tonumber(lease_until) > now then return 0 end
redis.call('HSET', job, 'owner', owner)
redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
return redis.call('HINCRBY', job, 'epoch', 1)
