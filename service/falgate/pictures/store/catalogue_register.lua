#!lua flags=allow-oom
-- with _catalogue.lua
-- Register a picture before its bytes are stored, with its pool, so that garbage collection does
-- not take it for unreferenced. The sets of pools that have a word of its prompt (more_keys) start
-- at KEYS[13], and the words' names are listed in `words`; both are empty unless the prompt is
-- stored. Runs even when Redis is out of memory: the picture is already paid
-- for.
-- Returns 1, or 0 while its bytes are being deleted; the caller then has to wait.
local picture = KEYS[1]
local pictures = KEYS[2]
local media = KEYS[3]
local master_picture = KEYS[4]
local about = KEYS[5]
local pools = KEYS[6]
local pools_of = KEYS[7]
local prompt = KEYS[8]
local pictures_of_prompt = KEYS[9]
local pools_of_team = KEYS[10]
local pools_for = KEYS[11]
local pinned_pools = KEYS[12]
local first_word = 13
local name = ARGV[1]
local size = digits(ARGV[2])
local value = digits(ARGV[3])
local app = ARGV[4]
local master = ARGV[5]
local fingerprint = ARGV[6]
local about_json = ARGV[7]
local with_prompt = ARGV[8]
local prompt_sha256 = ARGV[9]
local words = ARGV[10]

local now = now_ms()
local known = redis.call('HMGET', picture, 'marked_ms', 'size', 'value', 'pools', 'heat', 'prompts')
if being_removed(known[1], now) then return 0 end
local heat = heated(tonumber(known[5] or nil), 1, now)
value = math.max(value, tonumber(known[3] or '0'))
local its_pools = known[4] or ''
if fingerprint ~= '' then its_pools = listed(its_pools, fingerprint) end
if not known[2] then
  redis.call('HSET', picture, 'app', app, 'master', master, 'uses', 0, 'derived', '')
  redis.call('HINCRBY', media, 'bytes', whole(size))
  redis.call('HINCRBY', media, 'pictures', 1)
end
redis.call('HDEL', picture, 'marked_ms', 'marked_uses')
redis.call('HSET', picture, 'size', whole(size), 'value', whole(value), 'pools', its_pools,
  'heat', string.format('%.6f', heat), 'noted_ms', whole(now), 'used_ms', whole(now))
redis.call('HSET', picture, 'prompts', listed(known[6] or '', prompt_sha256))
redis.call('SADD', pictures_of_prompt, name)
redis.call('ZADD', pictures, string.format('%.6f', worth(value, size, heat, master ~= '')), name)
if master ~= '' and redis.call('EXISTS', master_picture) == 1 then
  redis.call('HSET', master_picture, 'derived',
    listed(redis.call('HGET', master_picture, 'derived') or '', name))
end
if fingerprint ~= '' then
  -- An app that does not store prompts must not erase one that another app stored.
  if with_prompt == '1' or redis.call('HEXISTS', about, 'about') == 0 then
    redis.call('HSET', about, 'about', about_json)
  end
  redis.call('HSET', about, 'app:' .. app, whole(now))
  redis.call('ZADD', pools, whole(now), fingerprint)
  redis.call('ZADD', pools_of, whole(now), fingerprint)
  redis.call('ZADD', pools_of_team, whole(now), fingerprint)
  redis.call('ZADD', pools_for, whole(now), fingerprint)
  redis.call('ZADD', pinned_pools, 'XX', whole(now), fingerprint)
  note_words(about, words)
  for i = first_word, #KEYS do redis.call('ZADD', KEYS[i], whole(now), fingerprint) end
  redis.call('SADD', prompt, fingerprint)
end
return 1
