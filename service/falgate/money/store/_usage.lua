-- Counts in a day's roll-ups. A subject is "<team>/<app>/<key>|<model>|<quality>|<outcome>".
-- The first roll-up counts by team and app only, and is kept for ever. The second, the breakdown,
-- counts by the whole subject. Each number goes into both, so an app's parts add up to the app.
-- Teams, apps and models are few, but keys may be many: once a day's breakdown is full, further
-- subjects are counted under the key "other".
-- The third, `hits`, counts by hour ("00" to "23", local): for the app, for its team and for all, so
-- that a day's hours are read by name, however many apps there are.
local breakdown_max = 10000
-- Must not raise an error: money has moved by then, and a script that fails keeps its writes.
local function app_of(subject)
  return subject:match('^[^/]+/[^/]+') or subject
end
-- Return the hour of a job's windows, or nil.
local function hour_of(windows)
  return windows:match('hour:%d+%-%d+%-%d+T(%d%d)')
end
local function count(usage, breakdown, hits, hour, subject, measure, number)
  local app = app_of(subject)
  redis.call('HINCRBY', usage, app .. ':' .. measure, whole(number))
  local field = subject .. ':' .. measure
  if redis.call('HEXISTS', breakdown, field) == 0
    and redis.call('HLEN', breakdown) >= breakdown_max then
    field = app .. '/other' .. (subject:match('|.*') or '|||') .. ':' .. measure
  end
  redis.call('HINCRBY', breakdown, field, whole(number))
  if not hour then return end
  for _, whose in ipairs({'/' .. app, '/' .. app:match('^[^/]*'), ''}) do
    redis.call('HINCRBY', hits, hour .. whose .. ':' .. measure, whole(number))
  end
end
