-- Return the server's history, "<run_id> <replication id>". A restart changes the `run_id`;
-- following another server or being promoted changes the replication id, even within one process.
local function history_now()
  return redis.call('INFO', 'server'):match('run_id:(%x+)') .. ' ' ..
    redis.call('INFO', 'replication'):match('master_replid:(%x+)')
end
