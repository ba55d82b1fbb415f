#!lua flags=allow-oom
-- Forget requests that ended long ago. The requests' keys (more_keys) stand from KEYS[2] on, each
-- with that of its idempotency key behind it, and their ids (more_args) from ARGV[2] on.
-- Returns how many were forgotten.
local answered = KEYS[1]
local before_ms = digits(ARGV[1])

local forgotten = 0
for i = 2, #KEYS, 2 do
  local id = ARGV[i / 2 + 1]
  local ended = redis.call('ZSCORE', answered, id)
  if ended and tonumber(ended) < before_ms then
    redis.call('DEL', KEYS[i])
    -- A later request may have taken the key over.
    if redis.call('HGET', KEYS[i + 1], 'request') == id then redis.call('DEL', KEYS[i + 1]) end
    redis.call('ZREM', answered, id)
    forgotten = forgotten + 1
  end
end
return forgotten
