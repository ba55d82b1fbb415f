#!lua flags=allow-oom
-- with _places.lua
-- Let requests (more_args: their ids, from ARGV[2] on) have what they have for another lease; for 0 ms
-- it is anybody's, and stays so. A request that is kept (its key: more_keys) may take up again what
-- it had and nobody took since; once it has ended, it has nothing.
-- Returns how many places it were.
local places = KEYS[1]
local lease_ms = digits(ARGV[1])
local first_kept, first_request = 2, 2

local kept = KEYS[first_kept]
if kept and redis.call('HGET', kept, 'state') ~= 'open' then lease_ms = 0 end
local mine = {}
for i = first_request, #ARGV do mine[ARGV[i]] = true end
local until_ms = lease_ms > 0 and now_ms() + lease_ms or 0
local changed = 0
for what, place in pairs(places_of(places)) do
  if mine[place.request] and (kept or place.until_ms > 0) then
    redis.call('HSET', places, what, whole(until_ms) .. ':' .. place.request)
    changed = changed + 1
  end
end
return changed
