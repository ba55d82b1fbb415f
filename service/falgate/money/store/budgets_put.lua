#!lua flags=allow-oom
-- with _registry.lua
-- Set a budget or remove it (''), if it still is what the caller read. Lowering or removing it also
-- takes back any raise in the current window, with a ledger entry: an operator who sets 0 means 0.
-- Returns 1 if the budget is now as requested (a repeat changes nothing), 0 if it was changed by
-- somebody else.
local account = KEYS[1]
local audit = KEYS[2]
local accounts = KEYS[3]
local ledger = KEYS[4]
local teams = KEYS[5]
local limited = KEYS[6]
local field = ARGV[1]
local was = ARGV[2]
local now = ARGV[3]
local who = ARGV[4]
local action = ARGV[5]
local subject = ARGV[6]
local shown_was = ARGV[7]
local shown_now = ARGV[8]
local account_name = ARGV[9]
local name = ARGV[10]
local lowers = ARGV[11]
local why = ARGV[12]

local done = put_record(account, audit, field, was, now, '', {who = who, action = action,
  subject = subject, shown_was = shown_was, shown_now = shown_now, why = why})
if done == 0 then return 0 end
redis.call('SADD', accounts, account_name)
local team = string.match(account_name, '^team:(.*)$')
if team then redis.call('ZADD', teams, '0', team) end
local is_limited = false
for _, kind in ipairs({'hour', 'day', 'week', 'month', 'total'}) do
  is_limited = is_limited or redis.call('HEXISTS', account, 'budget:' .. kind) == 1
end
if is_limited then
  redis.call('ZADD', limited, '0', account_name)
else
  redis.call('ZREM', limited, account_name)
end
local raised = redis.call('HGET', account, 'raised:' .. name) or '0'
if done == 1 and lowers == '1' and raised ~= '0' then
  redis.call('HDEL', account, 'raised:' .. name)
  redis.call('XADD', ledger, '*', 'kind', 'raise', 'account', account_name, 'windows', name,
    'raised', '-' .. raised, 'who', who)
end
return 1
