#!lua flags=allow-oom
-- with _budgets.lua, _torn.lua, _turns.lua, _usage.lua
-- Turn a job's hold into spending, release the rest, and write the closing entry: once. What
-- exceeds the hold goes to the overage account.
-- The entry is written in the same step as the counters, not when the pictures are stored. So the
-- sum of the ledger equals the counters at every instant, and any difference is a fault.
-- The accounts (more_keys) begin at KEYS[19], in the order of the hold; the entry's other fields
-- (more_args) begin at ARGV[15].
-- A refusal (JSON) may quote the prompt, so it is stored apart and expires soon.
-- Returns {'settled', remaining, now_ms, entry}: what the tightest budget has left, in micro-USD
-- (-1 without any), and the entry's id unless an earlier call wrote it; {'fenced', state} if the
-- caller may not make this move; or {'torn'} if half of it is written already.
local job = KEYS[1]
local open_jobs = KEYS[2]
local ended_jobs = KEYS[3]
local flight = KEYS[4]
local ledger = KEYS[5]
local overage = KEYS[6]
local refusal = KEYS[7]
local slots = KEYS[8]
local waiting = KEYS[9]
local tags = KEYS[10]
local alerts = KEYS[11]
local usage = KEYS[12]
local breakdown = KEYS[13]
local torn = KEYS[14]
local hits = KEYS[15]
local day_sums = KEYS[16]
local month_sums = KEYS[17]
local callers = KEYS[18]
local job_id = ARGV[1]
local epoch = ARGV[2]
local from = ARGV[3]
local to = ARGV[4]
local charge = digits(ARGV[5])
local lease_ms = digits(ARGV[6])
local output = ARGV[7]
local answer = ARGV[8]
local refusal_kept_s = digits(ARGV[9])
local wake = ARGV[10]
local slots_max = digits(ARGV[11])
local channel = ARGV[12]
local subject = ARGV[13]
local measures = ARGV[14]
local first_account = 19
local first_field = 15

local known = redis.call('HMGET', job,
  'state', 'epoch', 'held', 'windows', 'accounts', 'flight', 'settled_to', 'turn', 'remaining')
if known[7] == to and known[2] == epoch then return {'settled', known[9], whole(now_ms())} end
if known[1] ~= from or known[2] ~= epoch then return {'fenced', known[1] or 'gone'} end
same_accounts(first_account, known[5])
if flight ~= known[6] then error({err = 'BADKEYS not the flight of this job'}) end
local counted = cjson.decode(measures)
if not begin(torn, job_id, 'settle') then return {'torn'} end

local held = digits(known[3])
local charged = math.min(charge, held)
local overrun = charge - charged
local now = now_ms()
local remaining = -1
local entry = redis.call('XADD', ledger, '*', 'kind', 'close', 'job', job_id, 'outcome', to,
  'windows', known[4], 'held', known[3], 'billed', whole(charged), 'overrun', whole(overrun),
  unpack(ARGV, first_field))
-- An invalid budget stops the next hold, but must not stop a settlement halfway.
local function standing(account, name)
  local sound, budget = pcall(budget_at, account, name)
  return sound and budget
end
for i = first_account, #KEYS do
  local account = KEYS[i]
  redis.call('HINCRBY', account, 'open', -1)
  if from == 'reserved' then redis.call('HINCRBY', account, 'waiting', '-' .. known[3]) end
  for name in known[4]:gmatch('%S+') do
    if redis.call('HINCRBY', account, 'held:' .. name, '-' .. known[3]) == 0 then
      redis.call('HDEL', account, 'held:' .. name)
    end
    if charged > 0 then redis.call('HINCRBY', account, 'spent:' .. name, whole(charged)) end
    local budget = standing(account, name)
    if budget then
      if charged > 0 then cross(alerts, account, name, budget, 0) end
      local left = math.max(0, budget.limit - budget.spent - budget.held)
      if not budget.shadow and (remaining < 0 or left < remaining) then remaining = left end
    end
  end
end
if overrun > 0 then redis.call('HINCRBY', overage, 'overrun', whole(overrun)) end
counted.billed, counted.overrun = charged, overrun
if (counted.bought or 0) == 0 then counted.without_pictures = charged end
local numbers = {}
for measure, number in pairs(counted) do
  if number > 0 then numbers[#numbers + 1] = {subject, measure, number} end
end
count({usage = usage, breakdown = breakdown, hits = hits, day_sums = day_sums,
  month_sums = month_sums, callers = callers, hour = hour_of(known[4])}, numbers)
leave_queue(waiting, tags, known[8])
redis.call('ZREM', slots, known[8])
give_slots(slots, waiting, tags, slots_max, channel, '')

redis.call('HSET', job, 'state', to, 'settled_to', to, 'charged', whole(charged),
  'overrun', whole(overrun), 'remaining', whole(remaining), 'output', output,
  'settled_ms', whole(now), 'entry', entry)
redis.call('HDEL', job, 'trouble', 'troubled_ms')
if answer ~= 'null' then
  redis.call('HSET', job, 'answered', '1')
  redis.call('SET', refusal, answer, 'EX', whole(refusal_kept_s))
end
if to == 'paid' then
  -- The pictures are still to be fetched, by the owner of the lease.
  redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
else
  -- Nothing was bought that a pool can share, so the flight leaves no marker. A known limit: the
  -- marker of an earlier purchase is gone too, since the hold replaced it. A request that read the
  -- pool before that purchase, and asks for the flight only now, may buy once more.
  redis.call('HDEL', job, 'input')
  redis.call('ZREM', open_jobs, job_id)
  redis.call('ZADD', ended_jobs, whole(now), job_id)
  if redis.call('GET', flight) == 'open:' .. job_id then redis.call('DEL', flight) end
  redis.call('PUBLISH', wake, job_id)
end
done(torn, job_id)
return {'settled', whole(remaining), whole(now), entry}
