-- The load of one wrk thread: requests from a file, in turn. Its arguments: the file, in which
-- requests are separated by a zero byte, and the first number. A request that holds the mark
-- @@@@@@@@@@@@ gets the next number in its place, so that no two are the same.
-- It prints one line of JSON: counts, and microseconds. What is set in _G is called or read by wrk.
local MARK = '@@@@@@@@@@@@'
local befores, afters, turn, number, loading = {}, {}, 0, 0, nil
_G.sent = 0

_G.setup = function(thread)
  loading = thread
end

_G.init = function(args)
  local file = assert(io.open(args[1], 'rb'))
  for request in file:read('*a'):gmatch('[^%z]+') do
    local from, to = request:find(MARK, 1, true)
    befores[#befores + 1] = from and request:sub(1, from - 1) or request
    afters[#befores] = from and request:sub(to + 1)
  end
  file:close()
  number = tonumber(args[2])
end

_G.request = function()
  _G.sent = _G.sent + 1
  turn = turn % #befores + 1
  if not afters[turn] then return befores[turn] end
  number = number + 1
  return befores[turn] .. ('%012d'):format(number) .. afters[turn]
end

_G.done = function(summary, latency)
  local errors = summary.errors
  local form = '{"sent":%d,"requests":%d,"bytes":%d,"took_us":%d,"p50_us":%d,"p99_us":%d,'
    .. '"refused":%d,"broken":%d}'
  print(form:format(loading:get('sent'), summary.requests, summary.bytes, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
