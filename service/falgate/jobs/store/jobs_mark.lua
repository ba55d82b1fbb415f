#!lua flags=allow-oom
-- reserved -> submitting, just before the request may be sent. Fenced by state, epoch, lease and
-- slot.
-- The accounts (more_keys) begin at KEYS[4], in the order of the hold.
-- Returns the time of the mark, in ms, if the caller may submit; 0 if the job is no longer the
-- caller's.
local job = KEYS[1]
local open_jobs = KEYS[2]
local slots = KEYS[3]
local job_id = ARGV[1]
local epoch = ARGV[2]
local lease_ms = digits(ARGV[3])
local first_account = 4

local known = redis.call('HMGET', job, 'state', 'epoch', 'held', 'accounts', 'turn', 'submitted_ms')
if known[2] ~= epoch then return 0 end
-- The same owner repeats itself: its first reply was lost, and it has not submitted. The state is
-- written again because the barrier that follows only covers writes of this connection.
if known[1] == 'submitting' then
  redis.call('HSET', job, 'state', 'submitting')
  return tonumber(known[6])
end
local now = now_ms()
local lease_until = tonumber(redis.call('ZSCORE', open_jobs, job_id) or '0')
if known[1] ~= 'reserved' or lease_until <= now then return 0 end
local slot_ms = redis.call('ZSCORE', slots, known[5])
if not slot_ms then return 0 end
same_accounts(first_account, known[4])
for i = first_account, #KEYS do redis.call('HINCRBY', KEYS[i], 'waiting', '-' .. known[3]) end
redis.call('HSET', job, 'state', 'submitting', 'submitted_ms', whole(now),
  'slot_ms', whole(tonumber(slot_ms)))
redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
return now
