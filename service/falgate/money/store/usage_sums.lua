#!lua flags=allow-oom
-- with _usage.lua
-- Add up a day's sums anew, from its usage and its breakdown, and change the month's by the
-- difference: for days that an earlier version counted, which had no sums, and for those whose
-- roll-ups were mended, or written in part. After the latter, the month is added up from all its
-- days, because nobody knows which part of it was written.
-- A day that has its sums is left, unless `again` and they differ from its usage.
-- The sums of all days of the month (more_keys) begin at KEYS[6].
-- Returns 1, or 0 if nothing was to be done.
local usage = KEYS[1]
local breakdown = KEYS[2]
local day_sums = KEYS[3]
local month_sums = KEYS[4]
local callers = KEYS[5]
local again = ARGV[1]
local first_day = 6
local fields_at_once = 500

-- Call a function with the parts before and behind the last colon of each field, and its number.
local function each(key, tell)
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local subject, measure = found[i]:match('^(.*)(:[%w_]+)$')
    if subject then tell(subject, measure, tonumber(found[i + 1])) end
  end
end
-- Return whether a hash has these numbers, among others.
local function has(key, numbers)
  local names = {}
  local function differ()
    local found = #names > 0 and redis.call('HMGET', key, unpack(names)) or {}
    for i, name in ipairs(names) do
      if tonumber(found[i] or '0') ~= numbers[name] then return true end
    end
    names = {}
  end
  for name in pairs(numbers) do
    names[#names + 1] = name
    if #names == fields_at_once and differ() then return false end
  end
  return not differ()
end
-- Have a hash hold these numbers.
local function write(key, numbers)
  local pairs_found = {}
  local function flush()
    if #pairs_found > 0 then redis.call('HSET', key, unpack(pairs_found)) end
    pairs_found = {}
  end
  for field, number in pairs(numbers) do
    pairs_found[#pairs_found + 1] = field
    pairs_found[#pairs_found + 1] = whole(number)
    if #pairs_found >= 2 * fields_at_once then flush() end
  end
  flush()
end

local function is_there(key) return redis.call('EXISTS', key) == 1 end
if not is_there(usage) and not is_there(day_sums) then return 0 end
local torn = redis.call('HEXISTS', day_sums, under_way) == 1
local sound = not torn and redis.call('HEXISTS', day_sums, whole_day) == 1
if sound and again == '' then return 0 end
local numbers, add = adding()
each(usage, function(app, measure, number)
  for _, whose in ipairs(counted_for(app)) do
    add(day_sums, whose .. measure, number)
    add(month_sums, whose .. measure, number)
  end
end)
-- This is cheap, and says so for nearly every day.
if sound and has(day_sums, numbers[day_sums] or {}) then return 0 end
-- The breakdown may have been swept: then the parts stay as they are. That of a day that was just
-- written in part may not have begun.
local divided = torn or is_there(breakdown)
local before = {}
each(day_sums, function(subject, measure, number)
  before[#before + 1] = subject .. measure
  if not subject:find('|', 1, true) then
    add(month_sums, subject .. measure, -number)
  elseif not divided then
    add(day_sums, subject .. measure, number)
  end
end)
local parts_of = parts_noting(callers, usage)
each(breakdown, function(subject, measure, number)
  for _, part in ipairs(parts_of(subject)) do
    add(day_sums, part .. measure, number)
  end
end)

redis.call('HSET', day_sums, under_way, '1')
local sums = numbers[day_sums] or {}
for _, field in ipairs(before) do
  if not sums[field] then redis.call('HDEL', day_sums, field) end
end
write(day_sums, sums)
if torn then
  local month, add_to_month = adding()
  for i = first_day, #KEYS do
    each(KEYS[i], function(subject, measure, number)
      if not subject:find('|', 1, true) then add_to_month(month_sums, subject .. measure, number) end
    end)
  end
  redis.call('DEL', month_sums)
  write(month_sums, month[month_sums] or {})
else
  for field, number in pairs(numbers[month_sums] or {}) do
    if number ~= 0 then redis.call('HINCRBY', month_sums, field, whole(number)) end
  end
end
redis.call('HSET', day_sums, whole_day, '1')
redis.call('HDEL', day_sums, under_way)
return 1
