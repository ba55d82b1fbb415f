#!lua flags=allow-oom
-- with _catalogue.lua
-- Add access counts. The pictures' records (more_keys) start at KEYS[2]; more_args has a name, a
-- count and an app for each, from ARGV[2] on. A record counts the uses of up to `apps_max` apps, and
-- those of all further ones together. Returns how many of the pictures are known.
local pictures = KEYS[1]
local apps_max = digits(ARGV[1])
local first_use = 2

local now = now_ms()
local filed = 0
for i = 2, #KEYS do
  local at = first_use + 3 * (i - 2)
  local name, uses, app = ARGV[at], digits(ARGV[at + 1]), ARGV[at + 2]
  local by = 'by:' .. app
  local known = redis.call('HMGET', KEYS[i], 'size', 'value', 'heat', 'master', 'apps', by)
  if known[1] then
    filed = filed + 1
    local heat = heated(tonumber(known[3]), uses, now)
    redis.call('HSET', KEYS[i], 'used_ms', whole(now), 'heat', string.format('%.6f', heat))
    redis.call('HINCRBY', KEYS[i], 'uses', uses)
    local apps = tonumber(known[5] or '0')
    if not known[6] and apps < apps_max then
      redis.call('HSET', KEYS[i], 'apps', whole(apps + 1))
    elseif not known[6] then
      by = 'by:'
    end
    redis.call('HINCRBY', KEYS[i], by, uses)
    redis.call('ZADD', pictures, string.format('%.6f',
      worth(tonumber(known[2]), tonumber(known[1]), heat, known[4] ~= '')), name)
  end
end
return filed
