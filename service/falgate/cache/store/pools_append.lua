#!lua flags=allow-oom
-- with _pools.lua
-- Append a job's pictures to a pool, unless the pool has moved on to another generation. Those that
-- are too old are left out, which begins the next generation: a reader's count would be too high.
-- The pictures (more_args) stand from ARGV[3] on as JSON. An absent pool is one of generation 0: of
-- several purchases that found none the first begins it, and the others go on with that one.
-- What is published is paid for, so that full memory is no reason to lose it.
-- Returns {generation, count}, or {} when the generation is gone.
local pool = KEYS[1]
local job_id = ARGV[1]
local generation = ARGV[2]
local first_picture = 3

local known = redis.call('HMGET', pool, 'generation', 'count', 'pictures', 'jobs', 'begun')
local jobs = known[4] or ''
-- An adopter repeating the step, or the same worker after a lost reply.
if (' ' .. jobs):find(' ' .. job_id .. ' ', 1, true) then return {known[1], known[2]} end
-- A pool that is gone (expired, evicted) has not moved on: what is bought begins a new one.
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
