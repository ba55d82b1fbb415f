#!lua flags=allow-oom
-- with _pools.lua
-- Put a job's pictures in the place of all that a pool has, and start its next generation, unless it
-- has moved on since it was read. The pictures (more_args) stand from ARGV[3] on as JSON. An absent
-- pool is one of generation 0. What is published is paid for, so that full memory is no reason to
-- lose it. Returns {generation, count}, or {} when the generation is gone.
local pool = KEYS[1]
local job_id = ARGV[1]
local generation = digits(ARGV[2])
local first_picture = 3

local known = redis.call('HMGET', pool, 'generation', 'count', 'jobs')
-- An adopter repeating the step, or the same worker after a lost reply.
if (' ' .. (known[3] or '')):find(' ' .. job_id .. ' ', 1, true) then return {known[1], known[2]} end
if tonumber(known[1] or '0') ~= generation then return {} end
local pictures = {}
for i = first_picture, #ARGV do pictures[#pictures + 1] = pictures_of(ARGV[i])[1] end
local next_generation = math.max(generation + 1, now_ms())
redis.call('HSET', pool, 'generation', whole(next_generation), 'count', whole(#pictures),
  'pictures', joined(pictures), 'jobs', job_id .. ' ')
live_until(pool, pictures)
return {whole(next_generation), whole(#pictures)}
