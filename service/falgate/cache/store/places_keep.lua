#!lua flags=allow-oom
-- with _places.lua
-- Renew what requests have (more_args: their ids, from ARGV[2] on) for another lease; with 0 ms it
-- is free, and is not renewed by later calls.
-- A queued request (its key: more_keys) may take up again what it had and nobody took since; once
-- it has ended, it has nothing.
-- Returns how many places were changed.
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
