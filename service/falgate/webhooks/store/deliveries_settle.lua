#!lua flags=allow-oom
-- Record the result of an attempt claimed until `until_ms`: the webhook either waits for another
-- `after_ms`, or ends in `state`, whose set is `into`. A success is recorded even after the claim
-- has expired; any other result only while the claim is held.
-- Returns 1, or 0 when the webhook is no longer waiting or another instance has claimed it.
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
