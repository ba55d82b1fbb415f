-- Counting in a day's two roll-ups. What is counted is of "<team>/<app>/<key>|<model>|<quality>|
-- <outcome>". The first roll-up counts it by team and app alone, and is kept for ever. The second one
-- breaks that down by all of it; each number goes into both, so that the parts of an app add up to
-- the app. Teams, apps and models are the operator's and few, keys may be many: a day's breakdown
-- that is full takes no further one and counts it as key "other".
local breakdown_max = 10000
local function count(usage, breakdown, subject, measure, number)
  local app, about = subject:match('^([^/]+/[^/]+)/[^|]*(|.*)$')
  if not app then error({err = 'BADSUBJECT not of a team, an app and a key'}) end
  redis.call('HINCRBY', usage, app .. ':' .. measure, whole(number))
  local field = subject .. ':' .. measure
  if redis.call('HEXISTS', breakdown, field) == 0
    and redis.call('HLEN', breakdown) >= breakdown_max then
    field = app .. '/other' .. about .. ':' .. measure
  end
  redis.call('HINCRBY', breakdown, field, whole(number))
end
