#!lua flags=allow-oom
-- with _usage.lua
-- Count a batch of an instance's responses in the roll-ups of their day and hour. Idempotent by the
-- batch's id. An instance posts its batches one after another, so the id of the previous batch is
-- deleted once this one is counted. `counts` is JSON, {"<subject>:<measure>": "<number>"}, money in
-- micro-USD, with subjects as in _usage.lua.
-- Returns 1, or 0 if the batch was counted before.
local usage = KEYS[1]
local hits = KEYS[2]
local posted = KEYS[3]
local breakdown = KEYS[4]
local day_sums = KEYS[5]
local month_sums = KEYS[6]
local callers = KEYS[7]
local id = ARGV[1]
local before = ARGV[2]
local hour = ARGV[3]
local counts = ARGV[4]

if redis.call('ZSCORE', posted, id) then return 0 end
local numbers = cjson.decode(counts)
for field, number in pairs(numbers) do
  digits(number)
  if not field:match(':[%w_]+$') then error({err = 'BADFIELD not "<subject>:<measure>"'}) end
end
local counted = {}
for field, number in pairs(numbers) do
  local subject, measure = field:match('^(.*):([%w_]+)$')
  counted[#counted + 1] = {subject, measure, digits(number)}
end
count({usage = usage, breakdown = breakdown, hits = hits, day_sums = day_sums,
  month_sums = month_sums, callers = callers, hour = hour}, counted)
redis.call('ZREM', posted, before)
redis.call('ZADD', posted, whole(now_ms()), id)
return 1
