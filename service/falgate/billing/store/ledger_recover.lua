#!lua flags=allow-oom
-- with _torn.lua, _usage.lua
-- Book a request that the upstream has carried out and no job knows: write the closing entry of a
-- job of its own, in the current windows, in micro-USD. Afterwards the request belongs to that job,
-- so it is booked only once.
-- The accounts that are charged (more_keys) begin at KEYS[11]; `charged` is JSON, their names in the
-- same order. Further fields of the entry (more_args) begin at ARGV[7].
-- Returns {'booked'}, {'known', job} if it belongs to a job, {'elsewhen', now_ms} outside the
-- windows, or {'torn'} if an earlier attempt was executed in part.
local submits = KEYS[1]
local ledger = KEYS[2]
local accounts = KEYS[3]
local usage = KEYS[4]
local breakdown = KEYS[5]
local torn = KEYS[6]
local hits = KEYS[7]
local day_sums = KEYS[8]
local month_sums = KEYS[9]
local callers = KEYS[10]
local request_id = ARGV[1]
local job_id = ARGV[2]
local amount = digits(ARGV[3])
local windows = ARGV[4]
local charged = ARGV[5]
local subject = ARGV[6]
local first_account = 11
local first_field = 7

local known = redis.call('HGET', submits, request_id)
if known then return {'known', known} end
local charged_names = cjson.decode(charged)
local now, names = now_ms(), {}
for _, window in ipairs(cjson.decode(windows)) do
  if now < window.starts_ms or now >= window.ends_ms then return {'elsewhen', whole(now)} end
  names[#names + 1] = window.kind .. ':' .. window.id
end
if not begin(torn, job_id, 'recover') then return {'torn'} end
redis.call('XADD', ledger, '*', 'kind', 'close', 'job', job_id, 'outcome', 'recovered',
  'windows', table.concat(names, ' '), 'held', whole(amount), 'billed', whole(amount),
  'overrun', '0', 'request_id', request_id, unpack(ARGV, first_field))
for i, account_name in ipairs(charged_names) do
  redis.call('SADD', accounts, account_name)
  local account = KEYS[first_account + i - 1]
  for _, name in ipairs(names) do redis.call('HINCRBY', account, 'spent:' .. name, whole(amount)) end
end
local hour = hour_of(table.concat(names, ' '))
count({usage = usage, breakdown = breakdown, hits = hits, day_sums = day_sums,
  month_sums = month_sums, callers = callers, hour = hour},
  {{subject, 'billed', amount}, {subject, 'without_pictures', amount}})
redis.call('HSET', submits, request_id, job_id)
done(torn, job_id)
return {'booked'}
