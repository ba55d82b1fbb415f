-- Marks of ledger operations under way. A server may keep half a transaction in its file and run it
-- at a later start. So scripts that write ledger entries set a mark first and delete it last. While
-- a mark is there, any write in between may be missing, and the operation is refused until
-- `falgate ledger recover` has resolved it. One write commits the operation: all entries are
-- written before it, and everything that follows from them after it.
local function begin(torn, id, what)
  if redis.call('HEXISTS', torn, id) == 1 then return false end
  redis.call('HSET', torn, id, what)
  return true
end
local function done(torn, id)
  redis.call('HDEL', torn, id)
end
