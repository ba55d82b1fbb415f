#!lua flags=allow-oom
-- Forget markers of flights that published a while ago. The flights' keys (more_keys) stand from
-- KEYS[2] on and their fingerprints (more_args) from ARGV[1] on. Returns how many were forgotten.
local markers = KEYS[1]

local now = now_ms()
local forgotten = 0
for i = 2, #KEYS do
  local fingerprint = ARGV[i - 1]
  local until_ms = redis.call('ZSCORE', markers, fingerprint)
  if until_ms and tonumber(until_ms) <= now then
    local claim = redis.call('GET', KEYS[i])
    if claim and claim:sub(1, 5) == 'done:' then redis.call('DEL', KEYS[i]) end
    redis.call('ZREM', markers, fingerprint)
    forgotten = forgotten + 1
  end
end
return forgotten
