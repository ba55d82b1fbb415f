#!lua flags=allow-oom
-- Count a request against each account's rate, or against none if one has reached its limit. The
-- keys (more_keys) are in the order of the limits per second (more_args). Generic cell rate
-- algorithm with a burst of one second's worth: each key holds the time, in ms, at which its
-- account is back to a full allowance.
-- Returns {} if there is room, else {index of the account from 0, wait_ms}.
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
