#!lua flags=allow-oom
-- Forgive what an account has spent in the window of now, so that its budget starts anew. What is
-- held stays held, and thresholds that have alerted in this window do not again. Idempotent by the
-- caller's id.
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
-- A refund after an earlier reset may have left less spent than was forgiven.
local forgiven = math.max(0, tonumber(f[1] or '0') - tonumber(f[2] or '0'))
if redis.call('ZSCORE', posted, id) then return {'reset', '0'} end
if now < starts_ms or now >= ends_ms then return {'elsewhen', whole(now)} end
redis.call('HINCRBY', account, 'forgiven:' .. name, whole(forgiven))
local entry = redis.call('XADD', ledger, '*', 'kind', 'reset', 'account', account_name,
  'windows', name, 'forgiven', whole(forgiven), 'who', who, 'why', why)
-- Purchases that were closed before it are forgiven, and so is what is found of them later.
redis.call('HSET', account, 'reset:' .. name, entry)
redis.call('XADD', audit, '*', 'who', who, 'action', 'reset', 'subject', subject,
  'before', '{"spent":' .. whole(forgiven) .. '}', 'after', '{"spent":0}', 'why', why)
redis.call('ZADD', posted, whole(now), id)
return {'reset', whole(forgiven)}
