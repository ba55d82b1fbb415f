#!lua flags=allow-oom
-- Delete expired markers of flights. The flights' keys (more_keys) begin at KEYS[2], their
-- fingerprints (more_args) at ARGV[1].
-- Returns how many were deleted.
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
