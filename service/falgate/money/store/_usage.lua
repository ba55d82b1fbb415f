-- Counts in the roll-ups of a day. A subject is "<team>/<app>/<key>|<model>|<quality>|<outcome>".
-- `rolls` has the keys of the roll-ups, and the local hour ("00" to "23") or nil:
-- usage       by team and app only; kept for ever.
-- breakdown   by the whole subject. Each number goes into both, so an app's parts add up to the app.
--             Teams, apps and models are few, but keys may be many: once a day's breakdown is full,
--             further subjects are counted under the key "other".
-- hits        by hour: for the app, for its team and for all.
-- day_sums    for a team and for all, by outcome, and by outcome and model, see `sums_of`.
-- month_sums  for a team and for all.
-- callers     which app called which model, by the last day on which it did.
-- The last four are read by name, so that what they cost does not grow with apps and keys.
-- The day's sums also have two fields that are no measures: `whole_day` where they include all that
-- was counted on the day, and `under_way` while a script writes, so that it is left where a server
-- keeps half of one, see `torn`: then `usage_sums.lua` adds the day and its month up anew.
local breakdown_max = 10000
local whole_day, under_way = 'whole', 'begun'
-- Must not raise an error: money has moved by then, and a script that fails keeps its writes.
local function app_of(subject)
  return subject:match('^[^/]+/[^/]+') or subject
end
-- Return the hour of a job's windows, or nil.
local function hour_of(windows)
  return windows:match('hour:%d+%-%d+%-%d+T(%d%d)')
end
-- Return a list of numbers by key and field, and a function that adds to it: a batch changes the
-- fields that its subjects share once.
local function adding()
  local numbers = {}
  return numbers, function(key, field, number)
    local of = numbers[key] or {}
    numbers[key] = of
    of[field] = (of[field] or 0) + number
  end
end
-- Return of whom sums count what an app does: of all, as "", and of its team if it has one.
local function counted_for(app)
  local team = app:match('^[^/]*')
  return team == '' and {''} or {'', team}
end
-- Return the fields of the sums that count parts of a subject. What it does not say is counted in none
-- of its own, so nothing is counted twice.
local function sums_of(subject)
  local _, model, _, outcome = subject:match('^([^|]*)|([^|]*)|([^|]*)|([^|]*)$')
  local fields = {}
  for _, of in ipairs(counted_for(app_of(subject))) do
    if outcome and outcome ~= '' then
      fields[#fields + 1] = of .. '|' .. outcome
      if model ~= '' then fields[#fields + 1] = of .. '|' .. outcome .. '|' .. model end
    end
  end
  return fields, model
end
local function note_caller(callers, day, model, app)
  if model and model ~= '' then
    local number = day:match('(%d+%-%d+%-%d+)$'):gsub('%-', '')
    redis.call('ZADD', callers, 'GT', number, model .. '|' .. app)
  end
end
-- Return `sums_of` as a function that notes a subject's caller when it meets the subject first, and
-- looks up nothing again for its other measures.
local function parts_noting(callers, day)
  local known = {}
  return function(subject)
    if not known[subject] then
      local fields, model = sums_of(subject)
      known[subject] = fields
      note_caller(callers, day, model, app_of(subject))
    end
    return known[subject]
  end
end
-- Add to the breakdown, which is written last: nobody mends what is counted there twice, because
-- half of a script was kept and the operation was repeated.
local function break_down(breakdown, counted)
  for _, each in ipairs(counted) do
    local subject, measure, number = each[1], ':' .. each[2], each[3]
    local field = subject .. measure
    if redis.call('HEXISTS', breakdown, field) == 0
      and redis.call('HLEN', breakdown) >= breakdown_max then
      field = app_of(subject) .. '/other' .. (subject:match('|.*') or '|||') .. measure
    end
    redis.call('HINCRBY', breakdown, field, whole(number))
  end
end
-- Count numbers, a list of {subject, measure, number}.
local function count(rolls, counted)
  if #counted == 0 then return end
  -- Only what was counted from the first number of a day on is known to be all of it: an earlier
  -- version has no sums, see `usage_sums.lua`.
  local begins = redis.call('EXISTS', rolls.usage) == 0
  local sound = redis.call('HSETNX', rolls.day_sums, under_way, '1') == 1
  local numbers, add = adding()
  local parts_of = parts_noting(rolls.callers, rolls.usage)
  for _, each in ipairs(counted) do
    local subject, measure, number = each[1], ':' .. each[2], each[3]
    local app = app_of(subject)
    add(rolls.usage, app .. measure, number)
    for _, whose in ipairs(rolls.hour and {'/' .. app, '/' .. app:match('^[^/]*'), ''} or {}) do
      add(rolls.hits, rolls.hour .. whose .. measure, number)
    end
    for _, whose in ipairs(counted_for(app)) do
      add(rolls.day_sums, whose .. measure, number)
      add(rolls.month_sums, whose .. measure, number)
    end
    for _, part in ipairs(parts_of(subject)) do add(rolls.day_sums, part .. measure, number) end
  end
  for key, fields in pairs(numbers) do
    for field, number in pairs(fields) do
      redis.call('HINCRBY', key, field, whole(number))
    end
  end
  break_down(rolls.breakdown, counted)
  if begins then redis.call('HSET', rolls.day_sums, whole_day, '1') end
  if sound then redis.call('HDEL', rolls.day_sums, under_way) end
end
