#!lua flags=allow-oom
-- Delete a pool's record. The other sets that have the pool (more_keys) start at KEYS[4]: those of
-- the apps and teams that bought for it, of its model, of the words of its prompt.
-- Returns 1 if it had a record, 0 if it had none, or -1 and changes nothing if that lists other
-- words than the caller read: then a purchase has added some.
local about = KEYS[1]
local pools = KEYS[2]
local prompt = KEYS[3]
local fingerprint = ARGV[1]
local words = ARGV[2]

if (redis.call('HGET', about, 'words') or '') ~= words then return -1 end
local was = redis.call('DEL', about)
redis.call('ZREM', pools, fingerprint)
redis.call('SREM', prompt, fingerprint)
for i = 4, #KEYS do redis.call('ZREM', KEYS[i], fingerprint) end
return was
