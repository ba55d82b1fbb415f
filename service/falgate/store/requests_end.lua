#!lua flags=allow-oom
-- with _requests.lua
-- End a kept request: once, and only while it waits for the job that the caller looked at ('': for
-- any). `outcome` is JSON. Who waits for it is woken.
-- Returns how many others wait for its flight, or -1 when it was not open with that job.
local request = KEYS[1]
local pending = KEYS[2]
local answered = KEYS[3]
local waiters = KEYS[4]
local idempotency = KEYS[5]
local request_id = ARGV[1]
local job = ARGV[2]
local state = ARGV[3]
local outcome = ARGV[4]
local repeatable = ARGV[5]
local wake = ARGV[6]

local known = redis.call('HMGET', request, 'state', 'job')
if known[1] ~= 'open' or (job ~= '' and known[2] ~= job) then return -1 end
local now = now_ms()
end_request(request, answered, idempotency, repeatable, request_id, state, outcome, now)
redis.call('ZREM', pending, request_id)
redis.call('ZREM', waiters, request_id)
redis.call('PUBLISH', wake, request_id)
return redis.call('ZCOUNT', waiters, whole(now), '+inf')
