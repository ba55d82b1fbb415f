#!lua flags=allow-oom
-- with _turns.lua
-- Whether a reserved job has a slot; queues it again if it was removed from the queue.
-- Returns 1 with a slot, 0 without one, -1 if the job is no longer reserved.
local job = KEYS[1]
local slots = KEYS[2]
local waiting = KEYS[3]
local tags = KEYS[4]
local slots_max = digits(ARGV[1])
local channel = ARGV[2]

local known = redis.call('HMGET', job, 'state', 'turn', 'class', 'weight')
if known[1] ~= 'reserved' then return -1 end
local member = known[2]
if not redis.call('ZSCORE', slots, member) and not redis.call('ZSCORE', waiting, member) then
  join_queue(waiting, tags, member, known[3], digits(known[4]))
end
give_slots(slots, waiting, tags, slots_max, channel, member)
return redis.call('ZSCORE', slots, member) and 1 or 0
