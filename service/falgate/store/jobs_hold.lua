#!lua
-- Claim a fingerprint's flight and hold the ceiling of one purchase on every account, or neither.
-- The accounts (more_keys) stand from KEYS[6] on, the organisation first.
-- Returns one of
--   {'held'}                                        this job exists and holds its money
--   {'joined', job}                                 another job is under way for the fingerprint
--   {'stale', generation, count}                    a flight has published since the pool was read
--   {'denied', account, window, limit, spent, held} account counts from 0; micro-USD
--   {'unlimited'}                                   the organisation has no budget
--   {'house', limit, overrun}                       the house is full; micro-USD
--   {'elsewhen', now_ms}                            the windows are not in force
--   {'unborn'}                                      this is not the ledger that the caller knows
local meta = KEYS[1]
local job = KEYS[2]
local flight = KEYS[3]
local open_jobs = KEYS[4]
local house = KEYS[5]
local ledger_id = ARGV[1]
local job_id = ARGV[2]
local owner = ARGV[3]
local lease_ms = digits(ARGV[4])
local amount = digits(ARGV[5])
local generation = digits(ARGV[6])
local count = digits(ARGV[7])
local windows = ARGV[8]
local order = ARGV[9]
local input = ARGV[10]
local first_account = 6

-- Nothing is free: a hold of 0 would pass a budget of 0, and its job would still buy.
if amount == 0 then error({err = 'BADAMOUNT a hold of nothing'}) end
if redis.call('HGET', meta, 'id') ~= ledger_id then return {'unborn'} end
-- A caller asking again (its first reply was lost) already has its money.
if redis.call('EXISTS', job) == 1 then return {'held'} end

local claim = redis.call('GET', flight)
if claim then
  local under_way = claim:match('^open:(.+)$')
  if under_way then return {'joined', under_way} end
  local made, length = claim:match('^done:[^:]+:(%d+):(%d+)$')
  made, length = tonumber(made), tonumber(length)
  if generation < made or (generation == made and count < length) then
    return {'stale', whole(made), whole(length)}
  end
end

local now = now_ms()
local in_force = cjson.decode(windows)
for _, window in ipairs(in_force) do
  if now < window.starts_ms or now >= window.ends_ms then return {'elsewhen', whole(now)} end
end

local kept = redis.call('HMGET', house, 'limit', 'overrun')
local overrun = tonumber(kept[2] or '0')
if not kept[1] or (overrun > 0 and overrun >= digits(kept[1])) then
  return {'house', kept[1] or '0', whole(overrun)}
end

local enforced = false
for i = first_account, #KEYS do
  for _, window in ipairs(in_force) do
    local name = window.kind .. ':' .. window.id
    local f = redis.call('HMGET', KEYS[i],
      'limit:' .. window.kind, 'spent:' .. name, 'held:' .. name)
    if f[1] then
      local spent, held = tonumber(f[2] or '0'), tonumber(f[3] or '0')
      if spent + held + amount > digits(f[1]) then
        return {'denied', i - first_account, window.kind, f[1], whole(spent), whole(held)}
      end
      if i == first_account then enforced = true end
    end
  end
end
if not enforced then return {'unlimited'} end

-- Everything is decided: from here on only writes, because a script that fails keeps what it wrote.
local names, accounts = {}, {}
for _, window in ipairs(in_force) do names[#names + 1] = window.kind .. ':' .. window.id end
for i = first_account, #KEYS do
  accounts[#accounts + 1] = KEYS[i]
  for _, name in ipairs(names) do redis.call('HINCRBY', KEYS[i], 'held:' .. name, whole(amount)) end
end
redis.call('HSET', job, 'state', 'reserved', 'owner', owner, 'epoch', '1', 'held', whole(amount),
  'windows', table.concat(names, ' '), 'accounts', table.concat(accounts, ' '),
  'flight', flight, 'began_ms', whole(now), 'order', order, 'input', input)
redis.call('ZADD', open_jobs, whole(now + lease_ms), job_id)
redis.call('SET', flight, 'open:' .. job_id)
return {'held'}
