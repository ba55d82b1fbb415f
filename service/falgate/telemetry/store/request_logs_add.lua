#!lua
-- Append requests to logs, each once, and drop what is too old or too much. Of a request that is in
-- its log already nothing is written, so a repeat changes nothing.
-- From KEYS[2] on come, for each log, its stream and the hash of its ids (more_keys). From ARGV[2]
-- on come, for each log, its name, how many entries it may have, how many are added, and for each
-- of these the request's id and the entry, an array that begins with the id (more_args).
-- Returns how many entries were added.
local logs = KEYS[1]
local kept_ms = digits(ARGV[1])
local first_log = 2
local dropped_max = 500

local now, at, added = now_ms(), 2, 0
local function drop(log, logged, entries)
  for _, one in ipairs(entries) do
    redis.call('XDEL', log, one[1])
    redis.call('HDEL', logged, one[2][2]:match('^%["([^"]+)"'))
  end
end
for i = first_log, #KEYS, 2 do
  local log, logged = KEYS[i], KEYS[i + 1]
  local name, most, number = ARGV[at], digits(ARGV[at + 1]), digits(ARGV[at + 2])
  local last
  at = at + 3
  for j = at, at + 2 * number - 1, 2 do
    if redis.call('HEXISTS', logged, ARGV[j]) == 0 then
      last = redis.call('XADD', log, '*', 'request', ARGV[j + 1])
      redis.call('HSET', logged, ARGV[j], last)
      added = added + 1
    end
  end
  at = at + 2 * number
  drop(log, logged,
    redis.call('XRANGE', log, '-', '(' .. whole(now - kept_ms), 'COUNT', dropped_max))
  local excess = redis.call('XLEN', log) - most
  if excess > 0 then
    drop(log, logged, redis.call('XRANGE', log, '-', '+', 'COUNT', math.min(excess, dropped_max)))
  end
  redis.call('PEXPIRE', log, kept_ms)
  redis.call('PEXPIRE', logged, kept_ms)
  if last then redis.call('ZADD', logs, last:match('^%d+'), name) end
end
redis.call('ZREMRANGEBYSCORE', logs, '-inf', whole(now - kept_ms))
return added
