-- The worth of a stored picture, by which the least worth keeping is evicted first.
--
-- Worth is (price to buy again x recent use) per byte. The weight of a use halves every week. All
-- weights decay alike, so the order of two pictures does not change while neither is used. The
-- logarithm of the sum of 2^(time of use / half-life) therefore changes only with a use, and one
-- sorted set keeps the current order without a job that recomputes it.
local half_life_ms = 7 * 86400 * 1000

local function log2(number)
  return math.log(number) / math.log(2)
end

-- Returns the heat (logarithm of the weighted uses) of a picture after `uses` more uses now.
local function heated(heat, uses, now)
  local more = log2(uses) + now / half_life_ms
  if not heat then return more end
  local high, low = math.max(heat, more), math.min(heat, more)
  return high + log2(1 + 2 ^ (low - high))
end

-- Returns the picture's score: lowest is evicted first. Conversions (made_here) rank below
-- purchases.
local function worth(value, size, heat, made_here)
  local place = log2((value + 1) / math.max(size, 1)) + heat
  return made_here and place - 1000000 or place
end

-- Returns whether a picture's bytes are being deleted. A mark older than a minute is void.
local function being_removed(marked_ms, now)
  return marked_ms and now - tonumber(marked_ms) < 60000
end

-- Returns a space-separated list of names with `name` added.
local function listed(names, name)
  if (' ' .. names .. ' '):find(' ' .. name .. ' ', 1, true) then return names end
  return names == '' and name or names .. ' ' .. name
end

-- List words in the record of their prompt's pool, by which the pool is later taken out of the sets
-- of all these words.
local function note_words(about, words)
  if words == '' then return end
  local known = redis.call('HGET', about, 'words') or ''
  for word in words:gmatch('%S+') do known = listed(known, word) end
  redis.call('HSET', about, 'words', known)
end
