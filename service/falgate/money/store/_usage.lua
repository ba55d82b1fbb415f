-- Counting in a day's two roll-ups. What is counted is of "<team>/<app>/<key>|<model>|<quality>|
-- <outcome>". The first roll-up counts it by team and app alone, and is kept for ever. The second one
-- breaks that down by all of it; each number goes into both, so that the parts of an app add up to
-- the app. Teams, apps and models are the operator's and few, keys may be many: a day's breakdown
-- that is full takes no further one and counts it as key "other".
local breakdown_max = 10000
-- Never an error: money was moved by then, and a script that fails keeps what it wrote.
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
