#!lua flags=allow-oom
-- Delete a pool's record. The pool sets of the apps that bought for it (more_keys) start at
-- KEYS[4].
-- Returns 1 if it had a record, else 0.
local about = KEYS[1]
local pools = KEYS[2]
local prompt = KEYS[3]
local fingerprint = ARGV[1]

local was = redis.call('DEL', about)
redis.call('ZREM', pools, fingerprint)
redis.call('SREM', prompt, fingerprint)
for i = 4, #KEYS do redis.call('ZREM', KEYS[i], fingerprint) end
return was
