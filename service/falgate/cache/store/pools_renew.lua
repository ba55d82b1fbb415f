#!lua flags=allow-oom
-- with _pools.lua
-- Replace all pictures of a pool by a job's, and begin its next generation, unless it has another
-- generation by now. The pictures (more_args) begin at ARGV[3] as JSON. A missing pool has
-- generation 0.
-- allow-oom: the pictures are paid for, so full memory is no reason to lose them.
-- Returns {generation, count}, or {} if the pool has another generation.
local pool = KEYS[1]
local job_id = ARGV[1]
local generation = digits(ARGV[2])
local first_picture = 3

local known = redis.call('HMGET', pool, 'generation', 'count', 'jobs')
-- The step is repeated by an adopter, or by the same worker after a lost reply.
if (' ' .. (known[3] or '')):find(' ' .. job_id .. ' ', 1, true) then return {known[1], known[2]} end
if tonumber(known[1] or '0') ~= generation then return {} end
local pictures = {}
for i = first_picture, #ARGV do pictures[#pictures + 1] = pictures_of(ARGV[i])[1] end
local next_generation = math.max(generation + 1, now_ms())
redis.call('HSET', pool, 'generation', whole(next_generation), 'count', whole(#pictures),
  'pictures', joined(pictures), 'jobs', job_id .. ' ')
live_until(pool, pictures)
return {whole(next_generation), whole(#pictures)}
