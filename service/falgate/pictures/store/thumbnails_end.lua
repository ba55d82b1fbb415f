#!lua flags=allow-oom
-- with _catalogue.lua
-- Note that a picture's thumbnail is stored, and what metadata its file has. From now on, deleting
-- the picture deletes the thumbnail.
-- Returns 1, or 0 if the picture is gone or is being deleted: the thumbnail has to be deleted.
local picture = KEYS[1]
local thumbnails = KEYS[2]
local name = ARGV[1]
local holds = ARGV[2]

local known = redis.call('HMGET', picture, 'size', 'marked_ms')
if not known[1] or being_removed(known[2], now_ms()) then return 0 end
redis.call('HSET', picture, 'holds', holds)
redis.call('ZREM', thumbnails, name)
return 1
