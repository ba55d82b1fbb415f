#!lua flags=allow-oom
-- with _deliveries.lua
-- Queue a webhook again with no attempts counted, and write an audit log entry. A webhook that was
-- not attempted yet is left alone, so that repeating the call changes nothing.
-- Returns 1, or 0 when there is no such webhook.
local delivery = KEYS[1]
local waiting = KEYS[2]
local failed = KEYS[3]
local delivered = KEYS[4]
local audit = KEYS[5]
local id = ARGV[1]
local who = ARGV[2]

local known = redis.call('HMGET', delivery, 'state', 'attempts')
local state, attempts = known[1], known[2]
if not state then return 0 end
if state == 'waiting' and attempts == '0' then return 1 end
redis.call('ZREM', failed, id)
redis.call('ZREM', delivered, id)
due_at(waiting, id, now_ms())
redis.call('HSET', delivery, 'state', 'waiting', 'attempts', '0')
redis.call('HDEL', delivery, 'ended_ms')
redis.call('XADD', audit, '*', 'who', who, 'action', 'delivery', 'subject', id,
  'before', '{"state":"' .. state .. '","attempts":' .. attempts .. '}',
  'after', '{"state":"waiting","attempts":0}')
return 1
