#!lua flags=allow-oom
-- Delete webhooks of one state that ended before `before_ms`. Their keys (more_keys) start at
-- KEYS[2] and their ids (more_args) at ARGV[2], in the same order. Returns the number deleted.
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
