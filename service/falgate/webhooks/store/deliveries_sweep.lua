#!lua flags=allow-oom
-- Forget webhooks that ended long ago, of one state. Their keys (more_keys) stand from KEYS[2] on and
-- their ids (more_args) from ARGV[2] on, in the same order. Returns how many were forgotten.
local ended = KEYS[1]
local before_ms = digits(ARGV[1])

local forgotten = 0
for i = 2, #KEYS do
  local id = ARGV[i]
  local at = redis.call('ZSCORE', ended, id)
  if at and tonumber(at) < before_ms then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', ended, id)
    forgotten = forgotten + 1
  end
end
return forgotten
