#!lua flags=no-writes
-- Read what counters are compared with, as of one moment: the ledger's end and the open jobs. The
-- keys of the jobs are built here, because the caller cannot know which jobs will be open.
-- Returns {last, archived, {accounts, held, state, windows}, ...}: the id of the ledger's last
-- entry ('0-0' if none), that of the last archived one ('' if none), and each open job; micro-USD.
local ledger = KEYS[1]
local opening = KEYS[2]
local open_jobs = KEYS[3]
local job_prefix = ARGV[1]

local newest = redis.call('XREVRANGE', ledger, '+', '-', 'COUNT', 1)
local found = {newest[1] and newest[1][1] or '0-0', redis.call('HGET', opening, 'archived') or ''}
for _, job_id in ipairs(redis.call('ZRANGE', open_jobs, 0, -1)) do
  local job = redis.call('HMGET', job_prefix .. job_id, 'accounts', 'held', 'state', 'windows')
  if job[3] then found[#found + 1] = job end
end
return found
