#!lua flags=allow-oom
-- with _pools.lua
-- Append a job's pictures to a pool, unless the pool has another generation by now. Expired
-- pictures are dropped, which begins the next generation, because a reader's count would be too
-- high.
-- The pictures (more_args) begin at ARGV[3] as JSON. A missing pool has generation 0: of several
-- purchases that found none, the first one begins it, and the others append to that generation.
-- allow-oom: the pictures are paid for, so full memory is no reason to lose them.
-- Generation and count together are the version of a pool: appending keeps the generation, so the
-- count is what tells a reader that it missed an append.
-- Returns {generation, count}, or {} if the pool has another generation.
local pool = KEYS[1]
local job_id = ARGV[1]
local generation = ARGV[2]
local first_picture = 3

local known = redis.call('HMGET', pool, 'generation', 'count', 'pictures', 'jobs', 'begun')
local jobs = known[4] or ''
-- The step is repeated by an adopter, or by the same worker after a lost reply.
if (' ' .. jobs):find(' ' .. job_id .. ' ', 1, true) then return {known[1], known[2]} end
-- A pool that has expired or was evicted has no other generation: the pictures begin a new pool.
if generation == '0' and known[5] == known[1] then generation = known[1] or generation end
if known[1] and known[1] ~= generation then return {} end
local now = now_ms()
local had = pictures_of(known[3] or '')
local pictures, there = {}, {}
for _, picture in ipairs(had) do
  if picture.until_s == 0 or picture.until_s * 1000 > now then
    pictures[#pictures + 1] = picture
    there[picture.sha256] = true
  end
end
if not known[1] then
  generation = whole(now)
  redis.call('HSET', pool, 'begun', generation)
elseif #pictures < #had then
  generation = whole(math.max(digits(generation) + 1, now))
end
for i = first_picture, #ARGV do
  local new = pictures_of(ARGV[i])[1]
  if not there[new.sha256] then
    pictures[#pictures + 1] = new
    there[new.sha256] = true
  end
end
redis.call('HSET', pool, 'generation', generation, 'count', whole(#pictures),
  'pictures', joined(pictures), 'jobs', jobs .. job_id .. ' ')
live_until(pool, pictures)
return {generation, whole(#pictures)}
