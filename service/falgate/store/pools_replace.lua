#!lua flags=allow-oom
-- Put other pictures in the place of those that were read, and start the next generation.
-- Does nothing when the pool has changed since. Returns {generation, count} of the pool as it is.
local pool = KEYS[1]
local generation = ARGV[1]
local count = ARGV[2]
local pictures = ARGV[3]
local new_count = digits(ARGV[4])

local known = redis.call('HMGET', pool, 'generation', 'count')
if known[1] ~= generation or known[2] ~= count then
  return {known[1] or '0', known[2] or '0'}
end
local next_generation = math.max(digits(generation) + 1, now_ms())
redis.call('HSET', pool, 'generation', whole(next_generation), 'count', whole(new_count),
  'pictures', pictures, 'jobs', '')
return {whole(next_generation), whole(new_count)}
