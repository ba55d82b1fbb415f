#!lua flags=allow-oom
-- with _deliveries.lua, _requests.lua
-- End a queued request: once, and only while it waits for the job that the caller saw ('': any).
-- `outcome` is JSON. Its followers are woken, and a webhook is queued if it has one (`webhook`,
-- else '').
-- Returns how many others wait for its flight, or -1 if it was not open with that job.
-- The flight is the one that it waits for now: a cancelled request may have another job by now than
-- the caller saw.
local request = KEYS[1]
local pending = KEYS[2]
local answered = KEYS[3]
local idempotency = KEYS[4]
local delivery = KEYS[5]
local due = KEYS[6]
local request_id = ARGV[1]
local job = ARGV[2]
local state = ARGV[3]
local outcome = ARGV[4]
local repeatable = ARGV[5]
local wake = ARGV[6]
local webhook = ARGV[7]
local subject = ARGV[8]
local upstream = ARGV[9]
local waiters_prefix = ARGV[10]

local known = redis.call('HMGET', request, 'state', 'job', 'flight')
if known[1] ~= 'open' or (job ~= '' and known[2] ~= job) then return -1 end
local waiters = waiters_prefix .. known[3]
local now = now_ms()
end_request(request, answered, idempotency, repeatable, request_id, state, outcome, now)
redis.call('ZREM', pending, request_id)
redis.call('ZREM', waiters, request_id)
if webhook ~= '' then
  enqueue_delivery(delivery, due, request_id, webhook, subject, upstream, now)
end
redis.call('PUBLISH', wake, request_id)
return redis.call('ZCOUNT', waiters, '(' .. whole(now), '+inf')
