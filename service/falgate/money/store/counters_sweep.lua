#!lua flags=allow-oom
-- Forget counters of windows that closed long ago, with what archived entries gave them. The names
-- of the windows (more_args) stand from ARGV[2] on. One that still has something held is left.
-- Returns how many windows were forgotten.
local account = KEYS[1]
local opening = KEYS[2]
local account_name = ARGV[1]
local first_window = 2

local forgotten = 0
for i = first_window, #ARGV do
  local window = ARGV[i]
  if redis.call('HEXISTS', account, 'held:' .. window) == 0 then
    for _, counter in ipairs({'spent', 'forgiven', 'reset', 'raised', 'alerted', 'filled',
      'refused'}) do
      redis.call('HDEL', account, counter .. ':' .. window)
      redis.call('HDEL', opening, account_name .. '|' .. window .. '|' .. counter)
    end
    forgotten = forgotten + 1
  end
end
return forgotten
