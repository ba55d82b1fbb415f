#!lua flags=allow-oom
-- Raise a budget's limit, in micro-USD, for the current window only. Idempotent by the caller's id.
-- Returns {'raised'}, {'elsewhen', now_ms} outside the window, or {'unset'} without such a budget.
local account = KEYS[1]
local ledger = KEYS[2]
local posted = KEYS[3]
local audit = KEYS[4]
local id = ARGV[1]
local name = ARGV[2]
local starts_ms = digits(ARGV[3])
local ends_ms = digits(ARGV[4])
local amount = digits(ARGV[5])
local account_name = ARGV[6]
local who = ARGV[7]
local subject = ARGV[8]
local why = ARGV[9]

if redis.call('ZSCORE', posted, id) then return {'raised'} end
local now = now_ms()
if now < starts_ms or now >= ends_ms then return {'elsewhen', whole(now)} end
if redis.call('HEXISTS', account, 'budget:' .. name:match('^[^:]+')) == 0 then return {'unset'} end
local raised = redis.call('HINCRBY', account, 'raised:' .. name, whole(amount))
redis.call('ZADD', posted, whole(now), id)
redis.call('XADD', ledger, '*', 'kind', 'raise', 'account', account_name, 'windows', name,
  'raised', whole(amount), 'who', who, 'why', why)
redis.call('XADD', audit, '*', 'who', who, 'action', 'raise', 'subject', subject,
  'before', '{"raised":' .. whole(raised - amount) .. '}',
  'after', '{"raised":' .. whole(raised) .. '}', 'why', why)
return {'raised'}
