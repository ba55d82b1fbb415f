#!lua flags=allow-oom
-- Store the progress that the upstream reports for a job, for `kept_s` seconds, and wake those who
-- follow it.
local progress = KEYS[1]
local told = ARGV[1]
local kept_s = digits(ARGV[2])
local moved = ARGV[3]
local job_id = ARGV[4]

redis.call('SET', progress, told, 'EX', kept_s)
redis.call('PUBLISH', moved, job_id)
return 1
