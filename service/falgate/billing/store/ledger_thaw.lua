#!lua flags=allow-oom
-- Allow purchases again, if the server is still in the history that was checked; another history
-- may have lost more.
-- Returns 1, or 0 in any other history.
local meta = KEYS[1]
local history = ARGV[1]

if (redis.call('HGET', meta, 'history') or '') ~= history then return 0 end
redis.call('HDEL', meta, 'frozen_ms', 'frozen_why')
return 1
