#!lua flags=allow-oom
-- Pin or unpin a picture. Returns 1, or 0 if it is unknown.
local picture = KEYS[1]
local pinned = ARGV[1]

if redis.call('EXISTS', picture) == 0 then return 0 end
redis.call('HSET', picture, 'pinned', pinned)
return 1
