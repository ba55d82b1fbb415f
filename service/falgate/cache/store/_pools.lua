-- Functions of the scripts that change pools.

-- Returns a pool's pictures as {sha256, until_s, json}, in their order; the JSON is unchanged.
local function pictures_of(text)
  local found = {}
  for i, one in ipairs(cjson.decode('[' .. text .. ']')) do
    found[i] = {sha256 = one.sha256, until_s = one.until_s or 0, json = ''}
  end
  local position = 1
  for i = 1, #found do
    -- No value in a picture's JSON contains a brace.
    local first, last = text:find('%b{}', position)
    found[i].json = text:sub(first, last)
    position = last + 1
  end
  return found
end

-- Let a pool expire with its longest-lived picture; never, if a picture is kept for ever.
local function live_until(pool, pictures)
  local longest = 0
  for _, picture in ipairs(pictures) do
    if picture.until_s == 0 then
      redis.call('PERSIST', pool)
      return
    end
    longest = math.max(longest, picture.until_s)
  end
  if longest > 0 then redis.call('EXPIREAT', pool, whole(longest)) end
end

local function joined(pictures)
  local parts = {}
  for i, picture in ipairs(pictures) do parts[i] = picture.json end
  return table.concat(parts, ',')
end
