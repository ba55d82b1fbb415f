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
-- Alert of something that happened to a budget in a window. Whoever reads the queue tells it.
local function alert(alerts, account, name, budget, what, percent)
  redis.call('XADD', alerts, 'MAXLEN', '~', '10000', '*', 'account', account, 'window', name,
    'what', what, 'percent', percent, 'limit', whole(budget.limit), 'spent', whole(budget.spent),
    'held', whole(budget.held))
end
-- Alert of the thresholds from `least` per cent on that are reached, each once in a window. Those
-- below 100 are reached by spending. From 100 on what is held counts too, because it takes the room
-- of the next purchase: spending alone may stop short of 100 for as long as everything is refused.
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
-- Alert of the first purchase in a window that a budget refuses.
local function refuse(alerts, account, name, budget)
  if redis.call('HSETNX', account, 'refused:' .. name, '1') == 1 then
    alert(alerts, account, name, budget, 'refused', 0)
  end
end
