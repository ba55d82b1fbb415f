-- Which process has the data, and in which history of writes: a server has another `run_id` after a
-- restart, and another replication id once it followed or was promoted, within one process too.
local function history_now()
  return redis.call('INFO', 'server'):match('run_id:(%x+)') .. ' ' ..
    redis.call('INFO', 'replication'):match('master_replid:(%x+)')
end
