#!lua flags=allow-oom
-- with _turns.lua
-- Record why waiting for a job is of no use now, and let its lease end when it should be looked at
-- again. Its slot is given to another job, because fal may not work on it for a long time, if at
-- all; if it does, one more job waits a little in fal's own queue.
-- Fenced by epoch. Returns 1, or 0 if the job is no longer the caller's or has ended.
local job = KEYS[1]
local open_jobs = KEYS[2]
local slots = KEYS[3]
local waiting = KEYS[4]
local tags = KEYS[5]
local job_id = ARGV[1]
local epoch = ARGV[2]
local lease_ms = digits(ARGV[3])
local trouble = ARGV[4]
local wake = ARGV[5]
local slots_max = digits(ARGV[6])
local channel = ARGV[7]

local known = redis.call('HMGET', job, 'epoch', 'turn')
if known[1] ~= epoch then return 0 end
if not redis.call('ZSCORE', open_jobs, job_id) then return 0 end
local now = now_ms()
redis.call('HSET', job, 'trouble', trouble)
redis.call('HSETNX', job, 'troubled_ms', whole(now))
redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
redis.call('ZREM', slots, known[2])
give_slots(slots, waiting, tags, slots_max, channel, '')
redis.call('PUBLISH', wake, job_id)
return 1
