#!lua flags=allow-oom
-- Check a marked picture once more before its file is deleted. One that was served since the mark,
-- by an instance that had read its pool earlier, loses the mark and stays.
-- Returns 1 if the file may be deleted, and renews the mark; else 0.
local picture = KEYS[1]

local known = redis.call('HMGET', picture, 'marked_ms', 'marked_uses', 'uses')
if not known[1] then return 0 end
if known[2] ~= known[3] then
  redis.call('HDEL', picture, 'marked_ms', 'marked_uses')
  return 0
end
redis.call('HSET', picture, 'marked_ms', whole(now_ms()))
return 1
