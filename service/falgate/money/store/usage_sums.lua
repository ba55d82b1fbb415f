#!lua flags=allow-oom
-- with _usage.lua
-- Add up a day's sums anew, from its usage and its breakdown, and change the month's by the
-- difference: for days that an earlier version counted, which had no sums, and for those whose roll-ups
-- were mended, or written in part. Unless `again`, a day that has them is left.
-- Returns 1, or 0 if nothing was to be done.
local usage = KEYS[1]
local breakdown = KEYS[2]
local day_sums = KEYS[3]
local month_sums = KEYS[4]
local callers = KEYS[5]
local again = ARGV[1]
local pairs_at_once = 1000

-- Call a function with the parts before and behind the last colon of each field, and its number.
local function each(key, tell)
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local subject, measure = found[i]:match('^(.*)(:[%w_]+)$')
    if subject then tell(subject, measure, tonumber(found[i + 1])) end
  end
end

if redis.call('EXISTS', usage) == 0 then return 0 end
if again == '' and redis.call('HEXISTS', day_sums, whole_day) == 1 then return 0 end
-- The breakdown may have been swept: then the parts stay as they are.
local divided = redis.call('EXISTS', breakdown) == 1
local numbers, add = adding()
each(usage, function(app, measure, number)
  local team = app:match('^[^/]*')
  for _, whose in ipairs(team == '' and {''} or {'', team}) do
    add(day_sums, whose .. measure, number)
    add(month_sums, whose .. measure, number)
  end
end)
each(day_sums, function(subject, measure, number)
  if not subject:find('|', 1, true) then
    add(month_sums, subject .. measure, -number)
  elseif not divided then
    add(day_sums, subject .. measure, number)
  end
end)
local noted = {}
each(breakdown, function(subject, measure, number)
  local app = app_of(subject)
  local parts, model = sums_of(app:match('^[^/]*'), subject)
  for _, part in ipairs(parts) do add(day_sums, part .. measure, number) end
  local caller = (model or '') .. '|' .. app
  if not noted[caller] then note_caller(callers, usage, model, app) end
  noted[caller] = true
end)
redis.call('DEL', day_sums)
local fields = {whole_day, '1'}
local function flush()
  redis.call('HSET', day_sums, unpack(fields))
  fields = {}
end
for field, number in pairs(numbers[day_sums] or {}) do
  fields[#fields + 1] = field
  fields[#fields + 1] = whole(number)
  if #fields >= pairs_at_once then flush() end
end
if #fields > 0 then flush() end
for field, number in pairs(numbers[month_sums] or {}) do
  if number ~= 0 then redis.call('HINCRBY', month_sums, field, whole(number)) end
end
return 1
