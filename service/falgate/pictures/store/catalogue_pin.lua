#!lua flags=allow-oom
-- Pin or unpin a picture. Its pools (more_args) begin at ARGV[2]; those of a picture that is pinned
-- are noted, and stay so until they are gone: another picture of them may be pinned.
-- Returns 1, or 0 if it is unknown.
local picture = KEYS[1]
local pools = KEYS[2]
local pinned_pools = KEYS[3]
local pinned = ARGV[1]
local first_pool = 2

if redis.call('EXISTS', picture) == 0 then return 0 end
redis.call('HSET', picture, 'pinned', pinned)
if pinned == '1' then
  for i = first_pool, #ARGV do
    local bought = redis.call('ZSCORE', pools, ARGV[i])
    if bought then redis.call('ZADD', pinned_pools, bought, ARGV[i]) end
  end
end
return 1
