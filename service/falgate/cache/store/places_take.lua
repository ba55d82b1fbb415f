#!lua flags=allow-oom
-- with _places.lua
-- Assign up to `wanted` pictures that no other request has: first those that the request had, or
-- that came from what it had, then the first of the others. Other pictures that it had are freed.
-- Without a request ('') nothing is assigned, only returned.
-- The pictures (more_args) begin at ARGV[5]: each one's hash, then its origin: the id of its job,
-- the hash of its master, or ''.
-- allow-oom: a cache hit needs no money, so full memory is no reason to refuse it.
-- Returns the positions of the assigned pictures, in their order, counted from 0.
local places = KEYS[1]
local request_id = ARGV[1]
local wanted = digits(ARGV[2])
local lease_ms = digits(ARGV[3])
local kept_s = digits(ARGV[4])
local first_picture = 5

local now = now_ms()
local held, chosen, number = places_of(places), {}, 0
local function had(what)
  return held[what] ~= nil and held[what].request == request_id
end
for _, own in ipairs({true, false}) do
  for i = first_picture, #ARGV, 2 do
    local picture, origin = ARGV[i], ARGV[i + 1]
    local free = is_free(held[picture], request_id, now) and is_free(held[origin], request_id, now)
    if free and number < wanted and (had(picture) or had(origin)) == own then
      chosen[i], number = true, number + 1
    end
  end
end
if request_id ~= '' then
  for what, place in pairs(held) do
    if #what == PICTURE_LENGTH and is_free(place, request_id, now) then
      redis.call('HDEL', places, what)
    end
  end
end
local taken = {}
for i = first_picture, #ARGV, 2 do
  if chosen[i] then
    taken[#taken + 1] = (i - first_picture) / 2
    if request_id ~= '' then
      take_place(places, ARGV[i], request_id, now + lease_ms, kept_s)
    end
  end
end
return taken
