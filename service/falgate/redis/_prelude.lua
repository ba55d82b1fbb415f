-- Stands before every script. Amounts come as plain digits only: Lua would also read nan, negative,
-- hexadecimal and exponent forms, and each of them gets past a budget.
local function digits(text)
  if type(text) ~= 'string' or not text:match('^%d+$') or #text > 15 then
    error({err = 'BADAMOUNT not a plain whole number of at most 15 digits'})
  end
  return tonumber(text)
end
-- Lua spells large numbers with an exponent, which HINCRBY refuses.
local function whole(number)
  return string.format('%.0f', number)
end
-- Redis's clock in milliseconds: the only one that decides about money. Whatever lasts until a time
-- is over at that time. What happens within one millisecond has no order by it: where that matters,
-- a counter is compared instead.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The accounts that a script was given must be those that a job was held on: `known` has them.
local function same_accounts(first, known)
  local given = {}
  for i = first, #KEYS do given[#given + 1] = KEYS[i] end
  if table.concat(given, ' ') ~= known then
    error({err = 'BADKEYS not the accounts of this job'})
  end
end
