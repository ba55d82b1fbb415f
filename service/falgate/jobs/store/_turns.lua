-- Turns at an upstream that takes so many jobs at once: start-time fair queueing between teams.
-- A member is "<job>:<team>". `waiting` orders members by a virtual time: a team's next job begins
-- where its last one ends, 1/weight later, and never before the time of now, so that who asks for
-- little stands before who asked for much. Low priority stands behind all that is normal.
-- `slots` holds the members in service. `tags` is a hash: "now:<class>", "next:<class>:<team>", and
-- "count:<team>", how many of a team wait.
local LOW = 2 ^ 40
local function turn_class(score)
  return score >= LOW and 'low' or 'normal'
end
-- What is given up leaves its place to the next of its team, and so on, or a team would be served for
-- what it no longer wants: the place of the last of them is where the team's next job begins.
local function leave_queue(waiting, tags, member)
  local place = redis.call('ZSCORE', waiting, member)
  if not place then return end
  local class, team = turn_class(tonumber(place)), member:match(':(.*)$')
  redis.call('ZREM', waiting, member)
  redis.call('HINCRBY', tags, 'count:' .. team, -1)
  local last = class == 'low' and '+inf' or '(' .. whole(LOW)
  local behind = redis.call('ZRANGE', waiting, place, last, 'BYSCORE', 'WITHSCORES')
  for i = 1, #behind, 2 do
    if behind[i]:match(':(.*)$') == team then
      redis.call('ZADD', waiting, place, behind[i])
      place = behind[i + 1]
    end
  end
  redis.call('HSET', tags, 'next:' .. class .. ':' .. team,
    string.format('%.6f', class == 'low' and place - LOW or place))
end
local function join_queue(waiting, tags, member, class, weight)
  local team = member:match(':(.*)$')
  local f = redis.call('HMGET', tags, 'now:' .. class, 'next:' .. class .. ':' .. team)
  local starts = math.max(tonumber(f[1] or '0'), tonumber(f[2] or '0'))
  redis.call('HSET', tags, 'next:' .. class .. ':' .. team,
    string.format('%.6f', starts + 1 / weight))
  redis.call('ZADD', waiting, string.format('%.6f', class == 'low' and LOW + starts or starts),
    member)
  redis.call('HINCRBY', tags, 'count:' .. team, 1)
end
-- Give free slots to those whose turn it is, and tell them. A limit of 0 is none.
local function give_slots(slots, waiting, tags, limit, channel)
  while limit == 0 or redis.call('ZCARD', slots) < limit do
    local first = redis.call('ZPOPMIN', waiting)
    if not first[1] then break end
    local member, score = first[1], tonumber(first[2])
    local class = turn_class(score)
    redis.call('HINCRBY', tags, 'count:' .. member:match(':(.*)$'), -1)
    redis.call('HSET', tags, 'now:' .. class,
      string.format('%.6f', class == 'low' and score - LOW or score))
    redis.call('ZADD', slots, whole(now_ms()), member)
    redis.call('PUBLISH', channel, member:match('^[^:]+'))
  end
  -- Nobody waits: whoever asks next begins a new virtual time.
  if redis.call('EXISTS', waiting) == 0 then redis.call('DEL', tags) end
end
