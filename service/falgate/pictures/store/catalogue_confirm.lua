#!lua flags=allow-oom
-- Look once more before a condemned picture's bytes are removed: one that was handed out meanwhile by
-- somebody who had read its pool before stays. Returns 1 where it may go; it is condemned anew then.
local picture = KEYS[1]

local known = redis.call('HMGET', picture, 'condemned_ms', 'condemned_uses', 'uses')
if not known[1] then return 0 end
if known[2] ~= known[3] then
  redis.call('HDEL', picture, 'condemned_ms', 'condemned_uses')
  return 0
end
redis.call('HSET', picture, 'condemned_ms', whole(now_ms()))
return 1
