#!lua flags=allow-oom
-- with _catalogue.lua
-- Mark a picture for deletion, unless it is pinned, was served after `unused_ms` or was registered
-- after `noted_ms`; `forced` ignores these. The mark records the number of uses so far: confirming
-- compares that number, because two events within one millisecond cannot be told apart by time.
-- Returns 1, or 0 if it stays, is unknown or is already being deleted.
local picture = KEYS[1]
local unused_ms = digits(ARGV[1])
local noted_ms = digits(ARGV[2])
local forced = ARGV[3]

local now = now_ms()
local known = redis.call('HMGET', picture, 'marked_ms', 'pinned', 'used_ms', 'noted_ms', 'uses')
if not known[4] or being_removed(known[1], now) then return 0 end
if forced ~= '1' and (known[2] == '1' or tonumber(known[3]) > unused_ms
  or tonumber(known[4]) > noted_ms) then return 0 end
redis.call('HSET', picture, 'marked_ms', whole(now), 'marked_uses', known[5])
return 1
