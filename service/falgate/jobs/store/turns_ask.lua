#!lua flags=allow-oom
-- with _turns.lua
-- Whether a reserved job has its turn; stands in line again where it was taken out of it.
-- Returns 1 with a slot, 0 without one (yet), -1 when the job does not wait any more.
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
give_slots(slots, waiting, tags, slots_max, channel)
return redis.call('ZSCORE', slots, member) and 1 or 0
