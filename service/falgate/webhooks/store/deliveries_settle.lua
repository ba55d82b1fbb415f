#!lua flags=allow-oom
-- Write down what came of an attempt that was claimed until `until_ms`: the webhook waits for
-- `after_ms` more, or has ended in another state, whose set is `into`. That it arrived is written by
-- whoever knows; anything else only by who still has the claim.
-- Returns 1, or 0 when it was not waiting any more or is another's.
local delivery = KEYS[1]
local waiting = KEYS[2]
local into = KEYS[3]
local id = ARGV[1]
local until_ms = digits(ARGV[2])
local state = ARGV[3]
local said = ARGV[4]
local after_ms = digits(ARGV[5])

local due = tonumber(redis.call('ZSCORE', waiting, id) or '0')
if due == 0 or (state ~= 'delivered' and due ~= until_ms) then return 0 end
local now = now_ms()
redis.call('HSET', delivery, 'state', state, 'said', said, 'tried_ms', whole(now))
if into ~= waiting then
  redis.call('HSET', delivery, 'ended_ms', whole(now))
  redis.call('ZREM', waiting, id)
end
redis.call('ZADD', into, whole(now + after_ms), id)
return 1
