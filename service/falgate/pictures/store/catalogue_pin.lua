#!lua flags=allow-oom
-- Keep a picture for ever, or no longer. Returns 1, or 0 where it is not filed.
local picture = KEYS[1]
local pinned = ARGV[1]

if redis.call('EXISTS', picture) == 0 then return 0 end
redis.call('HSET', picture, 'pinned', pinned)
return 1
