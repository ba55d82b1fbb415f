-- Where an account stands in a window, and what its budget there says. All in micro-USD.
-- Budgets are JSON, {"limit": 1000, "shadow": false, "alerts": [80]}, and come through cjson as
-- doubles: whatever is no plain amount is an error, in a script that has not written yet.
local function amount_of(number)
  if type(number) ~= 'number' or not (number >= 0 and number < 1e15) or number % 1 ~= 0 then
    error({err = 'BADAMOUNT a budget without a plain amount'})
  end
  return number
end
-- The budget that an account has for a window, named "<kind>:<id>"; nil where it has none.
local function budget_at(account, name)
  local kind = name:match('^[^:]+')
  local f = redis.call('HMGET', account, 'budget:' .. kind, 'raised:' .. name,
    'spent:' .. name, 'forgiven:' .. name, 'held:' .. name)
  if not f[1] then return nil end
  local budget = cjson.decode(f[1])
  return {
    kind = kind,
    limit = amount_of(budget.limit) + tonumber(f[2] or '0'),
    shadow = budget.shadow,
    alerts = budget.alerts or {},
    spent = math.max(0, tonumber(f[3] or '0') - tonumber(f[4] or '0')),
    held = tonumber(f[5] or '0'),
  }
end
