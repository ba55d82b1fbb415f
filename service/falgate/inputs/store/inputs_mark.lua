#!lua flags=allow-oom
-- Mark up to `number` of an app's input pictures that were not used after `unused_ms`, and return
-- their names: nobody may use them until their files are deleted. Those that are marked already are
-- among them.
local inputs = KEYS[1]
local unused_ms = digits(ARGV[1])
local number = digits(ARGV[2])

local now = now_ms()
local names = redis.call('ZRANGE', inputs, '-inf', unused_ms, 'BYSCORE', 'LIMIT', 0, number)
for _, name in ipairs(names) do redis.call('ZADD', inputs, whole(-now), name) end
return names
