-- What a stored picture is worth keeping for, for the scripts that file and use pictures.
--
-- Worth is (price to buy again x recent use) per byte. A use counts less the longer ago it is, by half
-- in a week. As all fade alike, two pictures stand to each other as they did, and the logarithm of
-- the sum of 2^(time of use / half-life) only changes with a use: what it is now needs no sweep.
local half_life_ms = 7 * 86400 * 1000

local function log2(number)
  return math.log(number) / math.log(2)
end

-- The heat of a picture that was used so many times more, now.
local function heated(heat, uses, now)
  local more = log2(uses) + now / half_life_ms
  if not heat then return more end
  local high, low = math.max(heat, more), math.min(heat, more)
  return high + log2(1 + 2 ^ (low - high))
end

-- Its place among all: the least goes first, and what was made here before all that was bought.
local function worth(value, size, heat, made_here)
  local place = log2((value + 1) / math.max(size, 1)) + heat
  return made_here and place - 1000000 or place
end

-- Whether somebody is removing a picture's bytes; one that did not end in a minute is no more.
local function being_removed(condemned_ms, now)
  return condemned_ms and now - tonumber(condemned_ms) < 60000
end

-- A list of names with one more, by spaces.
local function listed(names, name)
  if (' ' .. names .. ' '):find(' ' .. name .. ' ', 1, true) then return names end
  return names == '' and name or names .. ' ' .. name
end
