#!lua
-- with _budgets.lua, _history.lua, _places.lua, _requests.lua, _turns.lua
-- Claim a fingerprint's flight, hold the ceiling of one purchase on every account and queue for a
-- slot, or do none of it. Queueing is part of the hold, so that simultaneous requests cannot exceed
-- a team's limit on waiting jobs.
-- The accounts (more_keys) begin at KEYS[19], the organisation first and the team second; after
-- them come as many keys that count each account's purchases per minute, in the same order.
-- A budget's first refusal in a window, and a hold that fills one, create alerts.
-- The request is recorded as waiting for the flight; if it is queued (`asked`, else ''), it is
-- stored.
-- A `distinct` request ('1', else '') takes a place: it joins only a purchase whose pictures no
-- other request of its app has, be it the pool's flight or one beside it, and shares its own with
-- none.
-- Returns one of
--   {'held', now_ms, slot, account, kind, ...}      the job has its hold; slot is '1' if it has a
--                                                   slot at once; then the shadow budgets that
--                                                   cannot pay for it, accounts counted from 0
--   {'held'}                                        an earlier call did that
--   {'joined', job, flight}                         another job is buying for the fingerprint;
--                                                   its flight, if it is not the one asked for
--   {'crowded'}                                     that job's pictures are for others: ask for a
--                                                   flight beside the pool's
--   {'repeated', request}                           an equal request is stored
--   {'mismatched'}                                  the idempotency key is another request's
--   {'ended'}                                       the request has ended meanwhile
--   {'stale', generation, count}                    a job has published since the pool was read
--   {'vacant'}                                      the caller only joins, but nobody is buying
--   {'stopped', subject, stop}                      an operator stopped one of the subjects of the
--                                                   purchase (`stoppable`), the first of several
--   {'denied', account, kind, limit, spent, held}   a budget cannot pay for it; micro-USD
--   {'exceeded', account, what, limit, wait_ms}     a limit on purchases is reached
--   {'unlimited'}                                   the organisation has no enforced budget
--   {'overage', limit, overrun}                       the overage limit is reached; micro-USD
--   {'elsewhen', now_ms}                            the windows are not the current ones
--   {'calendar', name}                              the ledger uses another calendar
--   {'strange'}                                     the server's history is not trusted yet
--   {'frozen', why}                                 purchases are stopped until an operator acts
--   {'unborn'}                                      this is not the ledger that the caller knows
local meta = KEYS[1]
local job = KEYS[2]
local flight = KEYS[3]
local open_jobs = KEYS[4]
local overage = KEYS[5]
local accounts = KEYS[6]
local slots = KEYS[7]
local waiting = KEYS[8]
local tags = KEYS[9]
local waiters = KEYS[10]
local request = KEYS[11]
local pending = KEYS[12]
local idempotency = KEYS[13]
local teams = KEYS[14]
local alerts = KEYS[15]
local pool_flight = KEYS[16]
local places = KEYS[17]
local stops = KEYS[18]
local ledger_id = ARGV[1]
local job_id = ARGV[2]
local owner = ARGV[3]
local lease_ms = digits(ARGV[4])
local amount = digits(ARGV[5])
local generation = digits(ARGV[6])
local count = digits(ARGV[7])
local calendar = ARGV[8]
local windows = ARGV[9]
local charged = ARGV[10]
local class = ARGV[11]
local weight = digits(ARGV[12])
local waiting_max = digits(ARGV[13])
local slots_max = digits(ARGV[14])
local channel = ARGV[15]
local order = ARGV[16]
local input = ARGV[17]
local request_id = ARGV[18]
local patience_ms = digits(ARGV[19])
local asked = ARGV[20]
local arguments = ARGV[21]
local pool = ARGV[22]
local was_job = ARGV[23]
local digest = ARGV[24]
local repeats_ms = digits(ARGV[25])
local flight_name = ARGV[26]
local distinct = ARGV[27]
local number = digits(ARGV[28])
local place_ms = digits(ARGV[29])
local places_kept_s = digits(ARGV[30])
local job_prefix = ARGV[31]
local flight_prefix = ARGV[32]
local waiters_prefix = ARGV[33]
local joins = ARGV[34]
local stoppable = ARGV[35]
local first_account = 19
local minute_ms = 60000

-- No purchase is free: a hold of 0 would pass a budget of 0, and the job would buy all the same.
if amount == 0 then error({err = 'BADAMOUNT a hold of nothing'}) end
local known = redis.call('HMGET', meta, 'id', 'history', 'frozen_ms', 'calendar', 'frozen_why')
if known[1] ~= ledger_id then return {'unborn'} end
-- The caller repeats itself because its first reply was lost: it already has its hold.
if redis.call('EXISTS', job) == 1 then return {'held'} end
if known[2] ~= history_now() then return {'strange'} end
if known[3] then return {'frozen', known[5] or 'lost'} end
if known[4] ~= calendar then return {'calendar', known[4] or ''} end

local now = now_ms()
if asked ~= '' then
  local before = known_request(request, idempotency, was_job, digest, repeats_ms, now)
  if before then return before end
end
-- From here on the request depends on a job, and must be found after a crash.
local function depend_on(job_asked, leads, name)
  if request_id == '' then return end
  local line = name == flight_name and waiters or waiters_prefix .. name
  wait_for(line, request_id, asked ~= '' and 'inf' or whole(now + patience_ms))
  if asked ~= '' then
    keep_request(request, idempotency, request_id, asked, arguments, digest, now)
    point_request(request, pending, request_id, job_asked, leads, pool, name, now + lease_ms)
  end
  if distinct ~= '' then
    take_place(places, job_asked, request_id, now + place_ms, places_kept_s)
  end
end

local claim = redis.call('GET', pool_flight)
local under_way = claim and claim:match('^open:(.+)$')
if distinct ~= '' then
  local free, name = coming(places, under_way, request_id, number, now, job_prefix)
  if free then
    name = name:sub(#flight_prefix + 1)
    depend_on(free, '0', name)
    return {'joined', free, name}
  end
  if under_way and flight == pool_flight then return {'crowded'} end
elseif under_way then
  depend_on(under_way, '0', flight_name)
  return {'joined', under_way}
end
if claim and not under_way then
  local made, length = claim:match('^done:[^:]+:(%d+):(%d+)$')
  made, length = tonumber(made), tonumber(length)
  if generation < made or (generation == made and count < length) then
    return {'stale', whole(made), whole(length)}
  end
end
-- Only here: what is stopped still joins purchases under way, which are paid for.
local subjects = cjson.decode(stoppable)
for i, stop in ipairs(redis.call('HMGET', stops, unpack(subjects))) do
  if stop then return {'stopped', subjects[i], stop} end
end
if joins == '1' then return {'vacant'} end

local in_force, names = cjson.decode(windows), {}
for _, window in ipairs(in_force) do
  if now < window.starts_ms or now >= window.ends_ms then return {'elsewhen', whole(now)} end
  names[#names + 1] = window.kind .. ':' .. window.id
end

local kept = redis.call('HMGET', overage, 'limit', 'overrun')
local overrun = tonumber(kept[2] or '0')
if not kept[1] or (overrun > 0 and overrun >= digits(kept[1])) then
  return {'overage', kept[1] or '0', whole(overrun)}
end

-- Limits on purchases, account by account.
local paced = cjson.decode(charged)
for i, one in ipairs(paced) do
  local account, pace = KEYS[first_account + i - 1], KEYS[first_account + #paced + i - 1]
  if one.at_once > 0 then
    if tonumber(redis.call('HGET', account, 'open') or '0') >= one.at_once then
      return {'exceeded', i - 1, 'generations_at_once', one.at_once, '5000'}
    end
  end
  if one.per_minute > 0 then
    redis.call('ZREMRANGEBYSCORE', pace, '-inf', whole(now - minute_ms))
    local more = redis.call('ZCARD', pace) - one.per_minute
    if more >= 0 then
      -- There is room when this purchase is a minute old. It is not the oldest one if the limit was
      -- lowered.
      local last = redis.call('ZRANGE', pace, more, more, 'WITHSCORES')
      return {'exceeded', i - 1, 'generations_per_minute', one.per_minute,
        whole(math.max(1, tonumber(last[2]) + minute_ms - now))}
    end
  end
end
local member = job_id .. ':' .. paced[2].id
if waiting_max > 0 and slots_max > 0 and redis.call('ZCARD', slots) >= slots_max
  and tonumber(redis.call('HGET', tags, 'count:' .. paced[2].id) or '0') >= waiting_max then
  return {'exceeded', 1, 'waiting_generations', waiting_max, '5000'}
end

-- Budgets, account by account.
local enforced, reply, denied, least = false, {'held', whole(now), '0'}, nil, nil
local looked, refusing = {}, {}
for i = 1, #paced do
  for _, name in ipairs(names) do
    local budget = budget_at(KEYS[first_account + i - 1], name)
    if budget then looked[#looked + 1] = {KEYS[first_account + i - 1], name, budget} end
    local short = budget and budget.spent + budget.held + amount > budget.limit
    if short and not budget.shadow then
      refusing[#refusing + 1] = looked[#looked]
      -- Of several budgets that cannot pay, the one with the least left is reported.
      local left = budget.limit - budget.spent - budget.held
      if not denied or left < least then
        denied, least = {'denied', i - 1, budget.kind,
          whole(budget.limit), whole(budget.spent), whole(budget.held)}, left
      end
    elseif short then
      reply[#reply + 1] = i - 1
      reply[#reply + 1] = budget.kind
    end
    if i == 1 and budget and not budget.shadow then enforced = true end
  end
end
if denied then
  for _, one in ipairs(refusing) do refuse(alerts, one[1], one[2], one[3]) end
  return denied
end
if not enforced then return {'unlimited'} end

-- All is decided; from here on there are only writes, because a script that fails keeps what it
-- wrote.
-- `open_jobs` is written before the job, and the job before its counters. So if the append-only
-- file ends in between, the counters can be corrected from the open jobs.
local keys = {}
for i in ipairs(paced) do keys[i] = KEYS[first_account + i - 1] end
redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
redis.call('HSET', job, 'state', 'reserved', 'owner', owner, 'epoch', '1', 'held', whole(amount),
  'windows', table.concat(names, ' '), 'accounts', table.concat(keys, ' '),
  'flight', flight, 'turn', member, 'class', class, 'weight', whole(weight),
  'began_ms', whole(now), 'order', order, 'input', input)
for i, one in ipairs(paced) do
  local account = keys[i]
  for _, name in ipairs(names) do redis.call('HINCRBY', account, 'held:' .. name, whole(amount)) end
  redis.call('HINCRBY', account, 'waiting', whole(amount))
  redis.call('HINCRBY', account, 'open', 1)
  redis.call('SADD', accounts, one.level .. ':' .. one.id)
  if one.level == 'team' then redis.call('ZADD', teams, '0', one.id) end
  if one.per_minute > 0 then
    local pace = KEYS[first_account + #paced + i - 1]
    redis.call('ZADD', pace, whole(now), job_id)
    redis.call('PEXPIRE', pace, minute_ms)
  end
end
for _, one in ipairs(looked) do
  one[3].held = one[3].held + amount
  cross(alerts, one[1], one[2], one[3], 100)
end
redis.call('SET', flight, 'open:' .. job_id)
join_queue(waiting, tags, member, class, weight)
give_slots(slots, waiting, tags, slots_max, channel, member)
if redis.call('ZSCORE', slots, member) then reply[3] = '1' end
depend_on(job_id, '1', flight_name)
return reply
