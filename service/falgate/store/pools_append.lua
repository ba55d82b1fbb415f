#!lua flags=allow-oom
-- Append a job's pictures to a pool, unless the pool has moved on to another generation.
-- The pictures (more_args) stand from ARGV[4] on as {sha256, JSON} pairs. An absent pool is one of
-- generation 0. What is published is paid for, so that full memory is no reason to lose it.
-- Returns {generation, count}, or {} when the generation is gone.
local pool = KEYS[1]
local job_id = ARGV[1]
local generation = ARGV[2]
local ttl_s = digits(ARGV[3])
local first_picture = 4

local known = redis.call('HMGET', pool, 'generation', 'count', 'pictures', 'jobs')
local count = tonumber(known[2] or '0')
local pictures = known[3] or ''
local jobs = known[4] or ''
-- An adopter repeating the step, or the same worker after a lost reply.
if (' ' .. jobs):find(' ' .. job_id .. ' ', 1, true) then return {known[1], whole(count)} end
-- A pool that is gone (expired, evicted) has not moved on: what is bought begins a new one.
if known[1] and known[1] ~= generation then return {} end
if not known[1] then generation = whole(now_ms()) end
for i = first_picture, #ARGV, 2 do
  if not pictures:find(ARGV[i], 1, true) then
    pictures = pictures == '' and ARGV[i + 1] or pictures .. ',' .. ARGV[i + 1]
    count = count + 1
  end
end
redis.call('HSET', pool, 'generation', generation, 'count', whole(count),
  'pictures', pictures, 'jobs', jobs .. job_id .. ' ')
redis.call('EXPIRE', pool, ttl_s)
return {generation, whole(count)}
