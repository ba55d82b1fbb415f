-- Webhooks: a hash each, named by the request whose end it tells, and a place in the sorted set of its
-- state: `due` has those that wait, by when they are tried next, ms. Who ends a request that wants to
-- tell of it calls this in the same script: a request that ended has its webhook, whatever dies then.
local function due_at(due, id, at)
  redis.call('ZADD', due, whole(at), id)
end
local function enqueue_delivery(delivery, due, id, url, subject, upstream, now)
  if redis.call('EXISTS', delivery) == 1 then return end
  redis.call('HSET', delivery, 'url', url, 'subject', subject, 'upstream', upstream,
    'state', 'waiting', 'attempts', '0', 'began_ms', whole(now))
  due_at(due, id, now)
end
