#!lua flags=allow-oom
-- Note that the ledger is on another server process than before. One that may have lost what it
-- acknowledged freezes all buying, until somebody has read the upstream's own books.
-- Returns 1, or 0 when the server that was noted is not the one that the caller knew.
local meta = KEYS[1]
local run_id = ARGV[1]
local was = ARGV[2]
local freeze = ARGV[3]

if (redis.call('HGET', meta, 'run_id') or '') ~= was then return 0 end
redis.call('HSET', meta, 'run_id', run_id)
if freeze == '1' then redis.call('HSETNX', meta, 'frozen_ms', whole(now_ms())) end
return 1
