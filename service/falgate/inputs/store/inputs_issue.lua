#!lua
-- Count what an app was given for a time, such as an upload, by its name. Returns 1, or 0 if the app
-- has `most` of them already.
local issued = KEYS[1]
local name = ARGV[1]
local for_ms = digits(ARGV[2])
local most = digits(ARGV[3])

local now = now_ms()
redis.call('ZREMRANGEBYSCORE', issued, '-inf', whole(now))
if redis.call('ZCARD', issued) >= most then return 0 end
redis.call('ZADD', issued, whole(now + for_ms), name)
if redis.call('PTTL', issued) < for_ms then redis.call('PEXPIRE', issued, whole(for_ms)) end
return 1
