#!lua flags=allow-oom
-- Take a picture out of the catalogue whose bytes are gone, if nobody has filed it anew meanwhile. The
-- pictures of each of its prompts (more_keys) stand from KEYS[4] on. Returns 1 where it was in it.
local picture = KEYS[1]
local pictures = KEYS[2]
local media = KEYS[3]
local name = ARGV[1]

local known = redis.call('HMGET', picture, 'condemned_ms', 'size')
if not known[1] then return 0 end
redis.call('DEL', picture)
redis.call('ZREM', pictures, name)
for i = 4, #KEYS do redis.call('SREM', KEYS[i], name) end
redis.call('HINCRBY', media, 'bytes', -tonumber(known[2]))
redis.call('HINCRBY', media, 'pictures', -1)
return 1
