#!lua
-- with _catalogue.lua
-- Note that a picture's thumbnail is about to be stored, so that it is found if its picture is
-- deleted meanwhile, or if the instance dies.
-- Returns 1, or 0 if the picture is unknown or is being deleted.
local picture = KEYS[1]
local thumbnails = KEYS[2]
local name = ARGV[1]

local now = now_ms()
local known = redis.call('HMGET', picture, 'size', 'marked_ms')
if not known[1] or being_removed(known[2], now) then return 0 end
redis.call('ZADD', thumbnails, whole(now), name)
return 1
