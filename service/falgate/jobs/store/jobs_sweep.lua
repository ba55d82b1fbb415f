#!lua flags=allow-oom
-- Forget jobs that ended long ago. The jobs' keys (more_keys) stand from KEYS[3] on and their ids
-- (more_args) from ARGV[2] on, in the same order. Returns how many were forgotten.
local ended_jobs = KEYS[1]
local submits = KEYS[2]
local before_ms = digits(ARGV[1])

local forgotten = 0
for i = 3, #KEYS do
  local job_id = ARGV[i - 1]
  local ended = redis.call('ZSCORE', ended_jobs, job_id)
  if ended and tonumber(ended) < before_ms then
    local request_id = redis.call('HGET', KEYS[i], 'request_id')
    if request_id then redis.call('HDEL', submits, request_id) end
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', ended_jobs, job_id)
    forgotten = forgotten + 1
  end
end
return forgotten
