#!lua flags=allow-oom
-- Delete the record of a picture whose file is gone, unless it has been registered again meanwhile.
-- The picture sets of its prompts (more_keys) start at KEYS[4].
-- Returns 1, or 0 if it was not marked for deletion.
local picture = KEYS[1]
local pictures = KEYS[2]
local media = KEYS[3]
local name = ARGV[1]

local known = redis.call('HMGET', picture, 'marked_ms', 'size')
if not known[1] then return 0 end
redis.call('DEL', picture)
redis.call('ZREM', pictures, name)
for i = 4, #KEYS do redis.call('SREM', KEYS[i], name) end
redis.call('HINCRBY', media, 'bytes', -tonumber(known[2]))
redis.call('HINCRBY', media, 'pictures', -1)
return 1
