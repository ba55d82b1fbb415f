#!lua
-- with _deliveries.lua, _requests.lua
-- Store a request that has ended already, unless an equal one is stored. `outcome` is JSON. A
-- webhook is queued if it has one (`webhook`, else '').
-- Returns {'kept'}, also if this step is repeated; {'repeated', request}; or {'mismatched'}.
local request = KEYS[1]
local answered = KEYS[2]
local idempotency = KEYS[3]
local delivery = KEYS[4]
local due = KEYS[5]
local request_id = ARGV[1]
local asked = ARGV[2]
local state = ARGV[3]
local outcome = ARGV[4]
local digest = ARGV[5]
local repeats_ms = digits(ARGV[6])
local webhook = ARGV[7]
local subject = ARGV[8]
local upstream = ARGV[9]

local now = now_ms()
local before = known_request(request, idempotency, '', digest, repeats_ms, now)
if before then return before[1] == 'ended' and {'kept'} or before end
keep_request(request, idempotency, request_id, asked, 'null', digest, now)
end_request(request, answered, idempotency, digest, request_id, state, outcome, now)
if webhook ~= '' then
  enqueue_delivery(delivery, due, request_id, webhook, subject, upstream, now)
end
return {'kept'}
