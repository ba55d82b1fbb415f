-- Included in every script. Amounts must be plain digits: Lua would also parse nan, negative,
-- hexadecimal and exponent forms, and each of them would get past a budget.
local function digits(text)
  if type(text) ~= 'string' or not text:match('^%d+$') or #text > 15 then
    error({err = 'BADAMOUNT not a plain whole number of at most 15 digits'})
  end
  return tonumber(text)
end
-- Format a number in plain digits: Lua uses an exponent for large numbers, which HINCRBY refuses.
local function whole(number)
  return string.format('%.0f', number)
end
-- Return Redis's time in milliseconds since 1970, the only clock that decides about money. Anything
-- that lasts until a time is over at that time. Events within one millisecond are not ordered by
-- it: where their order matters, a counter is compared instead.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- Check that the account keys from KEYS[first] on are those that a job's hold is on (`known`).
local function same_accounts(first, known)
  local given = {}
  for i = first, #KEYS do given[#given + 1] = KEYS[i] end
  if table.concat(given, ' ') ~= known then
    error({err = 'BADKEYS not the accounts of this job'})
  end
end
