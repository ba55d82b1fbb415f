#!lua flags=allow-oom
-- with _catalogue.lua
-- Note a pool of an earlier version in the sets by which the gallery finds it, as
-- `catalogue_register` does. Those of its teams and words (more_keys) start at KEYS[4].
-- Returns 1, or 0 if its record is gone or is another one than the caller read.
local about = KEYS[1]
local pools = KEYS[2]
local pools_for = KEYS[3]
local fingerprint = ARGV[1]
local about_json = ARGV[2]
local words = ARGV[3]

local bought = redis.call('ZSCORE', pools, fingerprint)
if not bought or redis.call('HGET', about, 'about') ~= about_json then return 0 end
note_words(about, words)
for i = 3, #KEYS do redis.call('ZADD', KEYS[i], bought, fingerprint) end
return 1
