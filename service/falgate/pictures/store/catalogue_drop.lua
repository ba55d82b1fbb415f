#!lua flags=allow-oom
-- Take a pool out of the catalogue. The pools of each app that bought for it (more_keys) stand from
-- KEYS[4] on. Returns 1 where it was in it.
local about = KEYS[1]
local pools = KEYS[2]
local prompt = KEYS[3]
local fingerprint = ARGV[1]

local was = redis.call('DEL', about)
redis.call('ZREM', pools, fingerprint)
redis.call('SREM', prompt, fingerprint)
for i = 4, #KEYS do redis.call('ZREM', KEYS[i], fingerprint) end
return was
