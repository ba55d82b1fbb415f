#!lua flags=allow-oom
-- with _deliveries.lua
-- Claim up to `number` due webhooks, each for `lease_ms`; after that any instance may claim it
-- again. At most `each` of one app are under way at once; `busy` is JSON, {"<team>/<app>": number
-- under way}. When the whole window of LOOKED_AT_MAX was read and there is still room, the webhooks
-- skipped in it are postponed by `aside_ms`: else an app with many due webhooks would hide those of
-- others behind it. The webhooks' keys are made from their ids; they share the hash tag.
-- Returns {now, {id, until, hash as a flat list} ...}, times in ms.
local waiting = KEYS[1]
local prefix = ARGV[1]
local number = digits(ARGV[2])
local each = digits(ARGV[3])
local lease_ms = digits(ARGV[4])
local aside_ms = digits(ARGV[5])
local busy = ARGV[6]
local LOOKED_AT_MAX = 300

local now = now_ms()
local counts = cjson.decode(busy)
local taken, passed = {whole(now)}, {}
local due = redis.call('ZRANGEBYSCORE', waiting, '-inf', whole(now), 'LIMIT', 0, LOOKED_AT_MAX)
for _, id in ipairs(due) do
  if #taken > number then break end
  local delivery = prefix .. id
  local subject = redis.call('HGET', delivery, 'subject')
  if not subject then
    redis.call('ZREM', waiting, id)
  elseif (counts[subject] or 0) >= each then
    passed[#passed + 1] = id
  else
    counts[subject] = (counts[subject] or 0) + 1
    redis.call('HINCRBY', delivery, 'attempts', 1)
    due_at(waiting, id, now + lease_ms)
    taken[#taken + 1] = {id, whole(now + lease_ms), redis.call('HGETALL', delivery)}
  end
end
if #due == LOOKED_AT_MAX and #taken <= number then
  for _, id in ipairs(passed) do due_at(waiting, id, now + aside_ms) end
end
return taken
