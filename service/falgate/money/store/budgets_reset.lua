#!lua flags=allow-oom
-- Reset an account's budget by forgiving what it has spent in the current window. Holds stay, and
-- thresholds that have alerted in this window do not alert again. Idempotent by the caller's id.
-- The spent counter is not set to 0, because it must stay the sum of the ledger, and a later refund
-- of an earlier purchase would make it negative. Budgets subtract what was forgiven.
-- Returns {'reset', forgiven} in micro-USD, or {'elsewhen', now_ms} outside the window.
local account = KEYS[1]
local ledger = KEYS[2]
local posted = KEYS[3]
local audit = KEYS[4]
local id = ARGV[1]
local name = ARGV[2]
local starts_ms = digits(ARGV[3])
local ends_ms = digits(ARGV[4])
local account_name = ARGV[5]
local who = ARGV[6]
local subject = ARGV[7]
local why = ARGV[8]

local now = now_ms()
local f = redis.call('HMGET', account, 'spent:' .. name, 'forgiven:' .. name)
-- After an earlier reset, a refund may have made spent less than forgiven.
local forgiven = math.max(0, tonumber(f[1] or '0') - tonumber(f[2] or '0'))
if redis.call('ZSCORE', posted, id) then return {'reset', '0'} end
if now < starts_ms or now >= ends_ms then return {'elsewhen', whole(now)} end
redis.call('HINCRBY', account, 'forgiven:' .. name, whole(forgiven))
local entry = redis.call('XADD', ledger, '*', 'kind', 'reset', 'account', account_name,
  'windows', name, 'forgiven', whole(forgiven), 'who', who, 'why', why)
-- Corrections of purchases that were closed before this entry count as forgiven too.
redis.call('HSET', account, 'reset:' .. name, entry)
redis.call('XADD', audit, '*', 'who', who, 'action', 'reset', 'subject', subject,
  'before', '{"spent":' .. whole(forgiven) .. '}', 'after', '{"spent":0}', 'why', why)
redis.call('ZADD', posted, whole(now), id)
return {'reset', whole(forgiven)}
