#!lua flags=allow-oom
-- Let buying go on, if the ledger is in the history that was looked at: another one may have lost
-- more. Returns 1, or 0 in any other.
local meta = KEYS[1]
local history = ARGV[1]

if (redis.call('HGET', meta, 'history') or '') ~= history then return 0 end
redis.call('HDEL', meta, 'frozen_ms', 'frozen_why')
return 1
