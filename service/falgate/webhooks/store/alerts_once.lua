#!lua flags=allow-oom
-- Queue an alert, unless one of this name was queued before. The alert's fields and values are
-- `more_args`. Returns 1 if it is queued now.
local alerts = KEYS[1]
local alerted = KEYS[2]
local name = ARGV[1]

if redis.call('SADD', alerted, name) == 0 then return 0 end
redis.call('XADD', alerts, 'MAXLEN', '~', '10000', '*', unpack(ARGV, 2))
return 1
