#!lua flags=allow-oom
-- Set counters of one hash to what the ledger says, if all of them still have the values that were
-- found; so a repeat or a second caller changes nothing. Each counter is three arguments
-- (more_args, from ARGV[4] on): its field, the value found and the correct value, signed whole
-- numbers. A hold of 0 is deleted.
-- Returns 1, or 0 if a counter has changed in the meantime.
local hash = KEYS[1]
local audit = KEYS[2]
local who = ARGV[1]
local subject = ARGV[2]
local upstream = ARGV[3]
local first_counter = 4

local function number(text)
  digits((text:gsub('^%-', '')))
  return text
end
for i = first_counter, #ARGV, 3 do
  number(ARGV[i + 2])
  if (redis.call('HGET', hash, ARGV[i]) or '0') ~= number(ARGV[i + 1]) then return 0 end
end
for i = first_counter, #ARGV, 3 do
  local field, found, must = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if must == '0' and field:sub(1, 5) == 'held:' then
    redis.call('HDEL', hash, field)
  else
    redis.call('HSET', hash, field, must)
  end
  redis.call('XADD', audit, '*', 'who', who, 'action', 'mend',
    'subject', subject .. '/' .. field .. '@' .. upstream, 'before', found, 'after', must)
end
return 1
