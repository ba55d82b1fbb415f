#!lua flags=allow-oom
-- with _catalogue.lua
-- Add access counts. The pictures' records (more_keys) start at KEYS[2]; more_args has a name and a
-- count for each. Returns how many of the pictures are known.
local pictures = KEYS[1]

local now = now_ms()
local filed = 0
for i = 2, #KEYS do
  local name, uses = ARGV[2 * i - 3], digits(ARGV[2 * i - 2])
  local known = redis.call('HMGET', KEYS[i], 'size', 'value', 'heat', 'master')
  if known[1] then
    filed = filed + 1
    local heat = heated(tonumber(known[3]), uses, now)
    redis.call('HSET', KEYS[i], 'used_ms', whole(now), 'heat', string.format('%.6f', heat))
    redis.call('HINCRBY', KEYS[i], 'uses', uses)
    redis.call('ZADD', pictures, string.format('%.6f',
      worth(tonumber(known[2]), tonumber(known[1]), heat, known[4] ~= '')), name)
  end
end
return filed
