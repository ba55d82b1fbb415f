#!lua flags=allow-oom
-- Count a request against each account's rate (the keys, more_keys, in the order of the limits a
-- second, more_args), or against none when one of them has no room: generic cell rate algorithm,
-- with a burst of as many as a second allows. A key holds when its account is even again, in ms.
-- Returns {} when there is room, or {index from 0, wait_ms}.
local now = now_ms()
local even = {}
for i, key in ipairs(KEYS) do
  local each_ms = 1000 / digits(ARGV[i])
  local ahead = math.max(tonumber(redis.call('GET', key) or '0'), now)
  if ahead + each_ms > now + 1000 + 0.001 then
    return {i - 1, whole(math.ceil(ahead + each_ms - now - 1000))}
  end
  even[i] = ahead + each_ms
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.3f', even[i]), 'PX', 2000)
end
return {}
