-- Counts in a day's two roll-ups. A subject is "<team>/<app>/<key>|<model>|<quality>|<outcome>".
-- The first roll-up counts by team and app only, and is kept for ever. The second, the breakdown,
-- counts by the whole subject. Each number goes into both, so an app's parts add up to the app.
-- Teams, apps and models are few, but keys may be many: once a day's breakdown is full, further
-- subjects are counted under the key "other".
local breakdown_max = 10000
-- Must not raise an error: money has moved by then, and a script that fails keeps its writes.
local function app_of(subject)
  return subject:match('^[^/]+/[^/]+') or subject
end
local function count(usage, breakdown, subject, measure, number)
  local app = app_of(subject)
  redis.call('HINCRBY', usage, app .. ':' .. measure, whole(number))
  local field = subject .. ':' .. measure
  if redis.call('HEXISTS', breakdown, field) == 0
    and redis.call('HLEN', breakdown) >= breakdown_max then
    field = app .. '/other' .. (subject:match('|.*') or '|||') .. ':' .. measure
  end
  redis.call('HINCRBY', breakdown, field, whole(number))
end
