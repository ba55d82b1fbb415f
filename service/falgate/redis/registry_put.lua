#!lua flags=allow-oom
-- with _registry.lua
-- Set or delete a record, a field of a hash, if it still is what the caller read, and write the
-- audit log. '' stands for no record. Raises the hash's revision. A record's `place` ('' for none)
-- is added to the sorted sets (more_keys) from KEYS[3] on, by which such records are listed.
-- Returns 1 if the record is now as requested (a repeat changes nothing), 0 if it was changed by
-- somebody else.
local records = KEYS[1]
local audit = KEYS[2]
local field = ARGV[1]
local was = ARGV[2]
local now = ARGV[3]
local revision = ARGV[4]
local who = ARGV[5]
local action = ARGV[6]
local subject = ARGV[7]
local shown_was = ARGV[8]
local shown_now = ARGV[9]
local why = ARGV[10]
local place = ARGV[11]
local first_list = 3

local done = put_record(records, audit, field, was, now, revision, {who = who, action = action,
  subject = subject, shown_was = shown_was, shown_now = shown_now, why = why})
if done > 0 and place ~= '' then
  for i = first_list, #KEYS do redis.call('ZADD', KEYS[i], 0, place) end
end
return done > 0 and 1 or 0
