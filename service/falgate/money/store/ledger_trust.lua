#!lua flags=allow-oom
-- with _history.lua
-- Note that the ledger is in another history than before, which the caller has looked at. What is
-- wrong with it (`why`, words by blanks, '' for nothing) freezes all buying, beside what did before.
-- Returns 1, or 0 when another history was noted than the caller knew, or the server is in another.
local meta = KEYS[1]
local history = ARGV[1]
local was = ARGV[2]
local why = ARGV[3]

if (redis.call('HGET', meta, 'history') or '') ~= was or history_now() ~= history then return 0 end
redis.call('HSET', meta, 'history', history)
if why == '' then return 1 end
local words = redis.call('HGET', meta, 'frozen_why') or ''
for word in why:gmatch('%S+') do
  if not (' ' .. words .. ' '):find(' ' .. word .. ' ', 1, true) then
    words = words == '' and word or words .. ' ' .. word
  end
end
redis.call('HSET', meta, 'frozen_why', words)
redis.call('HSETNX', meta, 'frozen_ms', whole(now_ms()))
return 1
