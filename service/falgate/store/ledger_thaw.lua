#!lua flags=allow-oom
-- Let buying go on, if the ledger is on the server that the upstream's books were compared with:
-- another one may have lost more. Returns 1, or 0 on any other server.
local meta = KEYS[1]
local run_id = ARGV[1]

if (redis.call('HGET', meta, 'run_id') or '') ~= run_id then return 0 end
redis.call('HDEL', meta, 'frozen_ms')
return 1
