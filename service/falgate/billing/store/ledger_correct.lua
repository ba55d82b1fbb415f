#!lua flags=allow-oom
-- with _torn.lua, _usage.lua
-- Correct the cost of a closed job. The difference is charged to its accounts, in the windows in
-- which it was charged, and to the overage account, with an entry of its own; the closing entry stays as it
-- is. If fal billed what was booked, the job is only marked as compared. All amounts in micro-USD.
-- The accounts (more_keys) begin at KEYS[11], the organisation first. `was` is what the caller read
-- and compared, so a repeat or a second caller books a difference only once.
-- Budgets pay a higher bill only up to the hold, which they had agreed to, and the overage account the rest.
-- A counter that was swept is not created again, except in the windows in `young`. If a reset
-- forgave a job that cost less, that part was never spent and must not count as forgiven, because
-- it would become room that nobody granted; an entry records that.
-- Returns 'corrected', 'confirmed', 'changed' if the cost was changed in the meantime, 'gone' if
-- the closing entry was archived, or 'torn' if an earlier attempt was executed in part.
local corrected = KEYS[1]
local ledger = KEYS[2]
local overage = KEYS[3]
local usage = KEYS[4]
local breakdown = KEYS[5]
local torn = KEYS[6]
local hits = KEYS[7]
local day_sums = KEYS[8]
local month_sums = KEYS[9]
local callers = KEYS[10]
local entry = ARGV[1]
local job_id = ARGV[2]
local was_billed = digits(ARGV[3])
local was_overrun = digits(ARGV[4])
local billed = digits(ARGV[5])
local overrun = digits(ARGV[6])
local request_id = ARGV[7]
local why = ARGV[8]
local young = ARGV[9]
local first_account = 11
-- Return whether one entry of a stream precedes another.
local function is_before(one, other)
  local ms, number = one:match('^(%d+)-(%d+)$')
  local other_ms, other_number = other:match('^(%d+)-(%d+)$')
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  return ms < other_ms or (ms == other_ms and tonumber(number) < tonumber(other_number))
end

local found = redis.call('XRANGE', ledger, entry, entry)[1]
if not found then return 'gone' end
local close = {}
for i = 1, #found[2], 2 do close[found[2][i]] = found[2][i + 1] end
if close.kind ~= 'close' or close.job ~= job_id then
  error({err = 'BADENTRY not the closing entry of this job'})
end
local compared = redis.call('HGET', corrected, job_id)
local known = compared or (close.billed .. ':' .. close.overrun)
if known ~= whole(was_billed) .. ':' .. whole(was_overrun) then return 'changed' end
if billed > digits(close.held) then error({err = 'BADAMOUNT the budgets pay no more than was held'}) end

-- Nobody is charged for a recovered request, which no job of ours sent, but the organisation and
-- the model. Entries of an earlier version charge no model.
local charged = {'organisation:main'}
if close.outcome ~= 'recovered' then
  charged[2] = 'team:' .. close.team
  charged[3] = 'app:' .. close.team .. '/' .. close.app
  charged[4] = 'key:' .. close.key
end
local model = close.charged_model or ''
if model ~= '' then charged[#charged + 1] = 'model:' .. model end
if #KEYS ~= first_account + #charged - 1 then error({err = 'BADKEYS not as many accounts'}) end
for i, name in ipairs(charged) do
  if KEYS[first_account + i - 1]:sub(-#name - 1) ~= ':' .. name then
    error({err = 'BADKEYS not the accounts of this job'})
  end
end
local day = close.windows:match('day:(%S+)')
if usage:sub(-#day - 1) ~= ':' .. day then error({err = 'BADKEYS not the day of this job'}) end

-- Only writes follow, because a script that fails keeps its earlier writes.
local more_billed, more_overrun = billed - was_billed, overrun - was_overrun
local for_nothing = (tonumber(close.bought) or 0) == 0 and more_billed or 0
if not begin(torn, job_id, 'correct') then return 'torn' end
if more_billed ~= 0 or more_overrun ~= 0 then
  redis.call('XADD', ledger, '*', 'kind', 'correction', 'job', job_id, 'windows', close.windows,
    'team', close.team, 'app', close.app, 'key', close.key, 'charged_model', model,
    'request_id', request_id,
    'billed', whole(more_billed), 'overrun', whole(more_overrun),
    'without_pictures', whole(for_nothing), 'why', why)
end
local kept = {}
for name in young:gmatch('%S+') do kept[name] = true end
-- Lower what a later reset forgave by what the job did not cost after all.
local function forgive_less(i, name)
  local f = redis.call('HMGET', KEYS[i], 'forgiven:' .. name, 'reset:' .. name)
  local forgiven = tonumber(f[1] or '0')
  if forgiven == 0 or not f[2] or not is_before(entry, f[2]) then return end
  local less = math.min(forgiven, -more_billed)
  redis.call('HINCRBY', KEYS[i], 'forgiven:' .. name, whole(-less))
  redis.call('XADD', ledger, '*', 'kind', 'reset', 'account', charged[i - first_account + 1],
    'windows', name, 'forgiven', whole(-less), 'who', 'correction')
end
for i = first_account, #KEYS do
  for name in close.windows:gmatch('%S+') do
    local counter = 'spent:' .. name
    if kept[name] or redis.call('HEXISTS', KEYS[i], counter) == 1 then
      redis.call('HINCRBY', KEYS[i], counter, whole(more_billed))
      if more_billed < 0 then forgive_less(i, name) end
    end
  end
end
redis.call('HINCRBY', overage, 'overrun', whole(more_overrun))
local subject = close.team .. '/' .. close.app .. '/' .. close.key .. '|' .. (close.model or '')
  .. '|' .. (close.quality or '') .. '|' .. close.outcome
local numbers = {}
local function tell(measure, number)
  if number ~= 0 then numbers[#numbers + 1] = {subject, measure, number} end
end
tell('billed', more_billed)
tell('overrun', more_overrun)
-- A job that was compared before is already counted as reconciled: add only the difference.
tell('reconciled', compared and more_billed + more_overrun or billed + overrun)
tell('without_pictures', for_nothing)
count({usage = usage, breakdown = breakdown, hits = hits, day_sums = day_sums,
  month_sums = month_sums, callers = callers, hour = hour_of(close.windows)}, numbers)
redis.call('HSET', corrected, job_id, whole(billed) .. ':' .. whole(overrun))
done(torn, job_id)
return more_billed == 0 and more_overrun == 0 and 'confirmed' or 'corrected'
