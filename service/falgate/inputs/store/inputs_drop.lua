#!lua flags=allow-oom
-- Forget input pictures whose files were deleted, unless they are in use again. Returns how many
-- the app still has.
local inputs = KEYS[1]
local input_apps = KEYS[2]
local app = ARGV[1]

for i = 2, #ARGV do
  local used_ms = tonumber(redis.call('ZSCORE', inputs, ARGV[i]) or nil)
  if used_ms and used_ms < 0 then redis.call('ZREM', inputs, ARGV[i]) end
end
local left = redis.call('ZCARD', inputs)
if left == 0 then redis.call('SREM', input_apps, app) end
return left
