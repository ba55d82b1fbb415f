-- Slots at an upstream that runs a limited number of jobs at once, shared between teams by
-- start-time fair queueing.
-- A member is "<job>:<team>". `waiting` is ordered by a virtual time: a team's next job begins
-- where its last one ends, 1/weight later, but never before the present virtual time. So a team
-- that asks for little is served before one that asks for much. Low priority comes after everything
-- that is normal.
-- `slots` holds the members in service. `tags` is a hash: "now:<class>" (the present virtual time),
-- "next:<class>:<team>" (where the team's next job begins), and "count:<team>" (how many of the
-- team's jobs wait).
local LOW = 2 ^ 40
local function turn_class(score)
  return score >= LOW and 'low' or 'normal'
end
-- Remove a member that waits. Its position goes to the team's next member, that one's to the one
-- after it, and so on; the last position is where the team's next job will begin. Otherwise a team
-- would pay in waiting time for jobs that it gave up.
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
-- Give free slots to the first members that wait, and notify them, except the caller's own
-- (`asker`, else ''): its reply tells. A limit of 0 means no limit.
local function give_slots(slots, waiting, tags, limit, channel, asker)
  while limit == 0 or redis.call('ZCARD', slots) < limit do
    local first = redis.call('ZPOPMIN', waiting)
    if not first[1] then break end
    local member, score = first[1], tonumber(first[2])
    local class = turn_class(score)
    redis.call('HINCRBY', tags, 'count:' .. member:match(':(.*)$'), -1)
    redis.call('HSET', tags, 'now:' .. class,
      string.format('%.6f', class == 'low' and score - LOW or score))
    redis.call('ZADD', slots, whole(now_ms()), member)
    if member ~= asker then redis.call('PUBLISH', channel, member:match('^[^:]+')) end
  end
  -- Nobody waits, so virtual time can start again from 0.
  if redis.call('EXISTS', waiting) == 0 then redis.call('DEL', tags) end
end
