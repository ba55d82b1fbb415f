-- Each webhook is a hash named by its request's id, and a member of the sorted set of its state.
-- `due` is the set of waiting ones, scored by the time of the next attempt, ms. A script that ends
-- a request enqueues its webhook itself, so that a crash cannot leave an ended request without its
-- webhook.
local function due_at(due, id, at)
  redis.call('ZADD', due, whole(at), id)
end
local function enqueue_delivery(delivery, due, id, url, subject, upstream, now)
  if redis.call('EXISTS', delivery) == 1 then return end
  redis.call('HSET', delivery, 'url', url, 'subject', subject, 'upstream', upstream,
    'state', 'waiting', 'attempts', '0', 'began_ms', whole(now))
  due_at(due, id, now)
end
