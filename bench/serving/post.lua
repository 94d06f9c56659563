-- usage: wrk -s post.lua <url> -- <folder> <count>: POSTs the bodies 1..count of the folder in turn, with its headers.
local requests, turn = {}, 0

function init(args)
  for line in io.lines(args[1] .. '/headers') do
    local name, value = line:match('^(.-): (.*)$')
    wrk.headers[name] = value
  end
  for index = 1, tonumber(args[2]) do
    local file = io.open(args[1] .. '/body-' .. index, 'rb')
    requests[index] = wrk.format('POST', nil, nil, file:read('*a'))
    file:close()
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\n{"requests":%d,"failed":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f}\n', summary.requests, failed,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
