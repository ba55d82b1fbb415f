-- Places: what of a pool each open request of an app has, so that no other one takes it meanwhile.
-- A hash from a picture's hash, or from the id of a job whose pictures the request will get, to
-- "<until_ms>:<request>".
-- A picture also counts as its job's, so that what was just published stays with its buyer. A
-- converted picture counts as its master's, which the converter takes first.
-- A job whose request left stays in the hash while it is open: the next request may join it.
local PICTURE_LENGTH = 64
local function places_of(places)
  local found, flat = {}, redis.call('HGETALL', places)
  for i = 1, #flat, 2 do
    local until_ms, request = flat[i + 1]:match('^(%d+):(.*)$')
    found[flat[i]] = {until_ms = tonumber(until_ms), request = request}
  end
  return found
end
local function is_free(place, request_id, now)
  return not place or place.until_ms <= now or place.request == request_id
end
local function take_place(places, what, request_id, until_ms, kept_s)
  redis.call('HSET', places, what, whole(until_ms) .. ':' .. request_id)
  redis.call('EXPIRE', places, kept_s)
end
-- Returns a purchase under way, of the pool's flight or of another one of the app's, that delivers
-- at least `number` pictures and that no request of the app waits for: its job and the key of its
-- flight; or nil. Jobs that have ended are deleted from the hash.
local function coming(places, under_way, request_id, number, now, job_prefix)
  local held, jobs = places_of(places), {under_way or nil}
  for what in pairs(held) do
    if #what ~= PICTURE_LENGTH and what ~= under_way then jobs[#jobs + 1] = what end
  end
  local found, flight
  for _, job in ipairs(jobs) do
    if is_free(held[job], request_id, now) then
      local known = redis.call('HMGET', job_prefix .. job, 'settled_to', 'state', 'order', 'flight')
      local open = known[2] and (not known[1] or known[2] == 'paid')
      if open and not found and cjson.decode(known[3]).number >= number then
        found, flight = job, known[4]
      elseif not open and held[job] then
        redis.call('HDEL', places, job)
      end
    end
  end
  return found, flight
end
