#!lua flags=allow-oom
-- with _pools.lua
-- Remove pictures from a pool (more_args: their hashes, from ARGV[3] on), or all with `all` ('1').
-- This begins the next generation, so that a purchase under way for the previous one does not bring
-- them back. An empty pool is stored for as long as such a purchase may take.
-- Returns how many were removed.
local pool = KEYS[1]
local all = ARGV[1]
local emptied_s = digits(ARGV[2])
local first_hash = 3

local known = redis.call('HMGET', pool, 'generation', 'pictures')
local gone, left, taken = {}, {}, 0
for i = first_hash, #ARGV do gone[ARGV[i]] = true end
for _, picture in ipairs(pictures_of(known[2] or '')) do
  if all == '1' or gone[picture.sha256] then
    taken = taken + 1
  else
    left[#left + 1] = picture
  end
end
-- Emptying begins a new generation even if the pool has no pictures yet, to keep out purchases that
-- are under way.
if taken == 0 and all ~= '1' then return 0 end
local next_generation = math.max(digits(known[1] or '0') + 1, now_ms())
redis.call('HSET', pool, 'generation', whole(next_generation), 'count', whole(#left),
  'pictures', joined(left), 'jobs', '')
if #left > 0 then
  live_until(pool, left)
else
  redis.call('EXPIRE', pool, emptied_s)
end
return taken
