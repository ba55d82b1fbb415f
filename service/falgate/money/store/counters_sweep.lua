#!lua flags=allow-oom
-- Delete an account's counters of windows that closed long ago, and their opening balances. The
-- names of the windows (more_args) begin at ARGV[2]. A window that still has a hold is skipped.
-- Returns how many windows were deleted.
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
