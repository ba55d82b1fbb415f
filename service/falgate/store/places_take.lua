#!lua flags=allow-oom
-- with _places.lua
-- Take up to `wanted` pictures for a request that no other one has, in their order; what it had taken
-- before is given back first. Without a request ('') nothing is taken, and who asks learns what would
-- be. The pictures (more_args) stand from ARGV[5] on: each one's hash, then the id of its job or ''.
-- A hit needs no money, so that full memory is no reason to refuse it.
-- Returns the positions of what was taken, the first being 0.
local places = KEYS[1]
local request_id = ARGV[1]
local wanted = digits(ARGV[2])
local lease_ms = digits(ARGV[3])
local kept_s = digits(ARGV[4])
local first_picture = 5

local now = now_ms()
local held, taken = places_of(places), {}
if request_id ~= '' then
  for what, place in pairs(held) do
    if #what == PICTURE_LENGTH and is_free(place, request_id, now) then
      redis.call('HDEL', places, what)
    end
  end
end
for i = first_picture, #ARGV, 2 do
  if #taken == wanted then break end
  local picture, job = ARGV[i], ARGV[i + 1]
  if is_free(held[picture], request_id, now) and is_free(held[job], request_id, now) then
    taken[#taken + 1] = (i - first_picture) / 2
    if request_id ~= '' then
      take_place(places, picture, request_id, now + lease_ms, kept_s)
    end
  end
end
return taken
