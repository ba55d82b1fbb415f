#!lua flags=allow-oom
-- Take over up to `number` requests whose leases ran out because their instances died, and start
-- new leases.
-- Returns their ids.
local pending = KEYS[1]
local lease_ms = digits(ARGV[1])
local number = digits(ARGV[2])

local now = now_ms()
local lapsed = redis.call('ZRANGEBYSCORE', pending, '-inf', whole(now), 'LIMIT', 0, number)
for _, id in ipairs(lapsed) do redis.call('ZADD', pending, whole(now + lease_ms), id) end
return lapsed
