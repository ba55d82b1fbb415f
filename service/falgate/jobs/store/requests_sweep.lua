#!lua flags=allow-oom
-- Delete requests that ended long ago. Their keys (more_keys) begin at KEYS[2], each followed by
-- that of its idempotency key; their ids (more_args) begin at ARGV[2].
-- Returns how many were deleted.
local answered = KEYS[1]
local before_ms = digits(ARGV[1])

local forgotten = 0
for i = 2, #KEYS, 2 do
  local id = ARGV[i / 2 + 1]
  local ended = redis.call('ZSCORE', answered, id)
  if ended and tonumber(ended) < before_ms then
    redis.call('DEL', KEYS[i])
    -- A later request may have taken over the idempotency key.
    if redis.call('HGET', KEYS[i + 1], 'request') == id then redis.call('DEL', KEYS[i + 1]) end
    redis.call('ZREM', answered, id)
    forgotten = forgotten + 1
  end
end
return forgotten
