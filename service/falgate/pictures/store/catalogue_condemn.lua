#!lua flags=allow-oom
-- with _catalogue.lua
-- Say that a picture's bytes are about to be removed. How often it was handed out until then is kept:
-- that is what is compared afterwards, because within one millisecond a time says nothing. One that is pinned, was handed out since
-- `unused_ms` or brought since `noted_ms` stays, unless it is `forced`.
-- Returns 1, or 0 where it stays, is not filed or somebody else is at it.
local picture = KEYS[1]
local unused_ms = digits(ARGV[1])
local noted_ms = digits(ARGV[2])
local forced = ARGV[3]

local now = now_ms()
local known = redis.call('HMGET', picture, 'condemned_ms', 'pinned', 'used_ms', 'noted_ms', 'uses')
if not known[4] or being_removed(known[1], now) then return 0 end
if forced ~= '1' and (known[2] == '1' or tonumber(known[3]) > unused_ms
  or tonumber(known[4]) > noted_ms) then return 0 end
redis.call('HSET', picture, 'condemned_ms', whole(now), 'condemned_uses', known[5])
return 1
