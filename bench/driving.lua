-- Sends the lines of a file as GraphQL requests, by a key where one is given, and prints what was measured as one line of JSON.
-- Each connection pauses for so many milliseconds before a request as a third argument says.
-- With this Accept header an error of GraphQL is an error of HTTP, which wrk counts by itself.

local requests, sent = {}, 0

function init(arguments)
  local headers = {
    ["Content-Type"] = "application/json",
    ["Accept"] = "application/graphql-response+json",
  }
  if arguments[2] and arguments[2] ~= "" then
    headers["Authorization"] = "Bearer " .. arguments[2]
  end
  local pause = tonumber(arguments[3])
  if pause then
    -- wrk knows whole milliseconds only: the mean is what was asked for.
    function delay()
      return math.floor(pause + math.random())
    end
  end
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,'
      .. '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
