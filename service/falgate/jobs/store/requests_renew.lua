#!lua flags=allow-oom
-- Renew the leases of those of the queued requests (more_args) that are still open.
local pending = KEYS[1]
local lease_ms = digits(ARGV[1])
local first_request = 2

local until_ms = whole(now_ms() + lease_ms)
for i = first_request, #ARGV do redis.call('ZADD', pending, 'XX', until_ms, ARGV[i]) end
return 1
