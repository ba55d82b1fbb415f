-- Records that operators change: one field of a hash each, '' for none, with who changed it when.
-- Returns 1 when the record is now as asked, 2 when it was so before, 0 when it was changed since.
local function put_record(records, audit, field, was, now, revision, change)
  local found = redis.call('HGET', records, field) or ''
  if found == now then return 2 end
  if found ~= was then return 0 end
  if now == '' then redis.call('HDEL', records, field) else redis.call('HSET', records, field, now) end
  if revision ~= '' then redis.call('HINCRBY', records, revision, 1) end
  redis.call('XADD', audit, '*', 'who', change.who, 'action', change.action,
    'subject', change.subject, 'before', change.shown_was, 'after', change.shown_now,
    'why', change.why)
  return 1
end
