#!lua flags=allow-oom
-- Forget a day's breakdown, and the parts of its sums, which have its models and outcomes: of 500
-- teams those are megabytes a day. What teams and apps did is kept.
-- Returns 1.
local breakdown = KEYS[1]
local day_sums = KEYS[2]
local fields_at_once = 1000

local parts = {}
local function flush()
  if #parts > 0 then redis.call('HDEL', day_sums, unpack(parts)) end
  parts = {}
end
for _, field in ipairs(redis.call('HKEYS', day_sums)) do
  if field:find('|', 1, true) then parts[#parts + 1] = field end
  if #parts == fields_at_once then flush() end
end
flush()
redis.call('UNLINK', breakdown)
return 1
