#!lua flags=allow-oom
-- with _catalogue.lua
-- Count that pictures were handed out. Their records (more_keys) stand from KEYS[2] on; more_args has
-- for each its name and how often. Returns how many of them are filed.
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
