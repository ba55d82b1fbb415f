#!lua flags=allow-oom
-- with _torn.lua
-- Remove a batch of archived entries from the ledger, and add their sums to the opening
-- balances, from which the ledger is verified. The batch is identified by its first entry: if
-- that is no longer the ledger's first, the batch has been removed before. The balances change
-- in one write.
-- `sums` is JSON, {"<account>|<window>|<counter>": "<signed micro-USD>"}. The jobs whose
-- corrections can be forgotten (more_args) begin at ARGV[5].
-- Returns 1, 0 if there was nothing to do, or 'torn' if an earlier attempt was executed in part.
local ledger = KEYS[1]
local opening = KEYS[2]
local corrected = KEYS[3]
local next_opening = KEYS[4]
local torn = KEYS[5]
local first = ARGV[1]
local last = ARGV[2]
local behind = ARGV[3]
local sums = ARGV[4]
local first_job = 5

local head = redis.call('XRANGE', ledger, '-', '+', 'COUNT', 1)
if not head[1] or head[1][1] ~= first then return 0 end
local amounts = cjson.decode(sums)
for _, amount in pairs(amounts) do digits((amount:gsub('^%-', ''))) end
if not begin(torn, 'archive', 'archive') then return 'torn' end
redis.call('DEL', next_opening)
redis.call('COPY', opening, next_opening)
for field, amount in pairs(amounts) do redis.call('HINCRBY', next_opening, field, amount) end
redis.call('HSET', next_opening, 'archived', last)
redis.call('RENAME', next_opening, opening)
redis.call('XTRIM', ledger, 'MINID', '=', behind)
for i = first_job, #ARGV do redis.call('HDEL', corrected, ARGV[i]) end
done(torn, 'archive')
return 1
