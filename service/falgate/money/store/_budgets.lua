-- An account's position in a window, and the alerts of its budget. All amounts in micro-USD.
-- Budgets are JSON, {"limit": 1000, "shadow": false, "alerts": [80]}, and cjson reads numbers as
-- doubles. A limit that is not a plain amount raises an error; scripts read budgets before they
-- write.
local function amount_of(number)
  if type(number) ~= 'number' or not (number >= 0 and number < 1e15) or number % 1 ~= 0 then
    error({err = 'BADAMOUNT a budget without a plain amount'})
  end
  return number
end
-- Return an account's budget and position for a window, named "<kind>:<id>"; nil without a budget.
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
-- Queue an alert about a budget in a window. A gateway reads the queue and delivers it.
local function alert(alerts, account, name, budget, what, percent)
  redis.call('XADD', alerts, 'MAXLEN', '~', '10000', '*', 'account', account, 'window', name,
    'what', what, 'percent', percent, 'limit', whole(budget.limit), 'spent', whole(budget.spent),
    'held', whole(budget.held))
end
-- Alert about the thresholds of at least `least` per cent that are reached, each once per window.
-- Below 100, only spending counts. From 100 on, holds count too, because they already keep the next
-- purchase out: otherwise spending could stay just short of 100 while everything is refused.
local function cross(alerts, account, name, budget, least)
  for _, percent in ipairs(budget.alerts) do
    local mark, used = 'alerted:' .. name, budget.spent
    if percent >= 100 then mark, used = 'filled:' .. name, used + budget.held end
    if percent >= least and used * 100 >= budget.limit * percent
      and percent > tonumber(redis.call('HGET', account, mark) or '0') then
      alert(alerts, account, name, budget, 'threshold', percent)
      redis.call('HSET', account, mark, percent)
    end
  end
end
-- Alert about the first purchase in a window that a budget refuses.
local function refuse(alerts, account, name, budget)
  if redis.call('HSETNX', account, 'refused:' .. name, '1') == 1 then
    alert(alerts, account, name, budget, 'refused', 0)
  end
end
