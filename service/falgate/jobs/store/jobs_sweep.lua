#!lua flags=allow-oom
-- Delete jobs that ended long ago. Their keys (more_keys) begin at KEYS[3], their ids (more_args)
-- at ARGV[2], in the same order.
-- Returns how many were deleted.
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
