#!lua flags=allow-oom
-- Look after kept requests (more_args) for another lease, as far as they are open still.
local pending = KEYS[1]
local lease_ms = digits(ARGV[1])
local first_request = 2

local until_ms = whole(now_ms() + lease_ms)
for i = first_request, #ARGV do redis.call('ZADD', pending, 'XX', until_ms, ARGV[i]) end
return 1
