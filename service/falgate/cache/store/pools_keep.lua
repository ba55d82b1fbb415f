#!lua flags=allow-oom
-- with _pools.lua
-- Set the expiry of pictures of a pool (more_args: their hashes, from ARGV[3] on), in seconds since
-- 1970; 0 is for ever. Pictures that are kept for ever are only changed with `over` ('1').
-- Returns how many were changed.
local pool = KEYS[1]
local until_s = digits(ARGV[1])
local over = ARGV[2]
local first_hash = 3

local text = redis.call('HGET', pool, 'pictures')
if not text then return 0 end
local kept, found = {}, 0
for i = first_hash, #ARGV do kept[ARGV[i]] = true end
local pictures = pictures_of(text)
for _, picture in ipairs(pictures) do
  if kept[picture.sha256] and (over == '1' or picture.until_s > 0) then
    found = found + 1
    picture.until_s = until_s
    picture.json = picture.json:gsub('"until_s":%d+', '"until_s":' .. whole(until_s))
  end
end
if found == 0 then return 0 end
redis.call('HSET', pool, 'pictures', joined(pictures))
live_until(pool, pictures)
return found
