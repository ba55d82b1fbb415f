#!lua flags=no-writes
-- Read what counters are compared with, as of one moment: where the ledger ends, and which jobs are
-- open. Their keys are made here, from the prefix and their ids: a caller who had to name them would
-- have to guess which jobs there will be.
-- Returns {last, archived, {accounts, held, state, windows}, ...}: the ids of the ledger's last
-- entry ('0-0' without any) and of the last one that was archived ('' without any), and each open
-- job; micro-USD.
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
