#!lua flags=allow-oom
-- Note that an app uses an input picture now, before its file is written. Returns 1, or 0 while the
-- file is being deleted, or -1 if the app has `most` others.
-- A score is when the picture was used last; a negative one is when its deletion began. A deletion
-- that died halfway is void after `deleting_ms`.
local inputs = KEYS[1]
local input_apps = KEYS[2]
local app = ARGV[1]
local name = ARGV[2]
local most = digits(ARGV[3])
local deleting_ms = digits(ARGV[4])

local now = now_ms()
local used_ms = tonumber(redis.call('ZSCORE', inputs, name) or nil)
if used_ms and used_ms < 0 and now + used_ms < deleting_ms then return 0 end
if not used_ms and redis.call('ZCARD', inputs) >= most then return -1 end
redis.call('ZADD', inputs, whole(now), name)
redis.call('SADD', input_apps, app)
return 1
