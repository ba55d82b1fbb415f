#!lua flags=no-writes
-- A queued request and the state of its job, in one step, because pollers ask for it often. The
-- job's
-- keys are made from the id in the request; they share its hash tag.
-- Returns {request, job state, position in our queue or -1, progress}, with '' for what is missing;
-- or {} without such a request. `request` is the hash as a flat list.
local request = KEYS[1]
local waiting = KEYS[2]
local job_prefix = ARGV[1]
local progress_prefix = ARGV[2]

local fields = redis.call('HGETALL', request)
if #fields == 0 then return {} end
local id = redis.call('HGET', request, 'job')
if not id then return {fields, '', -1, ''} end
local known = redis.call('HMGET', job_prefix .. id, 'state', 'turn')
local place = known[1] == 'reserved' and redis.call('ZRANK', waiting, known[2])
return {fields, known[1] or '', place or -1, redis.call('GET', progress_prefix .. id) or ''}
