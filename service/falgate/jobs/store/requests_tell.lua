#!lua flags=allow-oom
-- Note what the upstream says of a job, for a while, and wake who follows it.
local progress = KEYS[1]
local told = ARGV[1]
local kept_s = digits(ARGV[2])
local moved = ARGV[3]
local job_id = ARGV[4]

redis.call('SET', progress, told, 'EX', kept_s)
redis.call('PUBLISH', moved, job_id)
return 1
