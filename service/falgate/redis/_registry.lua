-- Set or delete ('') a record, a field of a hash, if it still equals `was`, and write the audit
-- log. Returns 1 if the record was changed, 2 if it already was as requested, 0 if it no longer
-- equals `was`.
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
