#!lua flags=allow-oom
-- with _history.lua
-- Record a new history of the ledger's server as trusted; the caller has checked it. What is wrong
-- with it (`why`, words separated by blanks, '' for nothing) is added to the reasons for which all
-- purchases are stopped.
-- Returns 1, or 0 if the recorded or the current history is not the one that the caller saw.
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
