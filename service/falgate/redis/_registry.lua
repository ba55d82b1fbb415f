-- Set or delete ('') a record, a field of a hash, if it still equals `was`, and write the audit
-- log. Returns 1 if the record was changed, 2 if it already was as requested, 0 if it no longer
-- equals `was`.
-- Whoever has read all records reads them anew once the revision is another one. It is raised first,
-- so that half of a script leaves no record that nobody looks for, and at least to the time, so that
-- a Redis that lost its last writes does not count to the same revision with other records.
local function put_record(records, audit, field, was, now, revision, change)
  local found = redis.call('HGET', records, field) or ''
  if found == now then return 2 end
  if found ~= was then return 0 end
  if revision ~= '' then
    local known = tonumber(redis.call('HGET', records, revision) or '0')
    redis.call('HSET', records, revision, whole(math.max(known + 1, now_ms())))
  end
  if now == '' then redis.call('HDEL', records, field) else redis.call('HSET', records, field, now) end
  redis.call('XADD', audit, '*', 'who', change.who, 'action', change.action,
    'subject', change.subject, 'before', change.shown_was, 'after', change.shown_now,
    'why', change.why)
  return 1
end
