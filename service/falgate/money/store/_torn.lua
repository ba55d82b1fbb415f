-- A server may keep half a transaction in its file and run it at a later start. What writes entries
-- of the ledger says so first, and takes that back last: where it still stands, all that comes in
-- between may be there or not, and nothing more is written of it until `ledger recover` has looked.
-- One write makes it count: every entry stands before that one, and behind it what follows from it.
local function begin(torn, id, what)
  if redis.call('HEXISTS', torn, id) == 1 then return false end
  redis.call('HSET', torn, id, what)
  return true
end
local function done(torn, id)
  redis.call('HDEL', torn, id)
end
