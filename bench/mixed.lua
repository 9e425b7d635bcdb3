-- Sends what a server gets that has been up for long: answers that are kept, by POST and GET, with a key and without; of twenty
-- requests one each by a document that is new, for a story that is not there, of no GraphQL, of an unknown field, with a wrong
-- variable, to an unknown path, and by a key that is none. Each comes from an address of its own, of which there are 50,000.
-- Arguments: the number of the run, so that no run repeats what another sent, and the key.

local run, key, sent = 0, nil, 0
local page = "query($id: ID!) { story(by: {id: $id})"
  .. " { id title coverage { outletCount } articles(first: 5) { nodes { title url } } } }"
local escaped = page:gsub("[^%w]", function(c) return string.format("%%%02X", c:byte()) end)

local path = "/graphql?query=" .. escaped .. "&variables=%7B%22id%22%3A%22story_"

function init(arguments)
  run, key = tonumber(arguments[1]), arguments[2]
end

local function from_somewhere(header, value)
  local address = string.format("10.%d.%d.%d", math.random(0, 1), math.random(0, 99), math.random(1, 250))
  local headers = { ["Content-Type"] = "application/json", ["X-Forwarded-For"] = address }
  if header then
    headers[header] = value
  end
  return headers
end

local function post(query, variables, header, value)
  local body = '{"query":"' .. query .. '","variables":' .. variables .. "}"
  return wrk.format("POST", "/graphql", from_somewhere(header, value), body)
end

local function story(most)
  return string.format('{"id":"story_%d"}', math.random(most))
end

local kinds = {
  function() return post(page, story(200)) end,
  function() return post(page, story(2000), "Authorization", "Bearer " .. key) end,
  function() return wrk.format("GET", path .. math.random(2000) .. "%22%7D", from_somewhere()) end,
  function() return post(string.format("query($id: ID!) { a%d_%d: story(by: {id: $id}) { title } }", run, sent), story(2000)) end,
  function() return post(page, string.format('{"id":"story_%d"}', 1e6 * run + sent)) end,
  function() return post(string.format("{ nothing%d_%d }", run, sent), "{}") end,
  function() return post(string.format("{ story(by: {id: $id%d }", sent), "{}") end,
  function() return post(page, string.format('{"id":%d}', sent), "Authorization", "Bearer " .. key) end,
  function() return wrk.format("GET", "/nowhere/" .. run .. "/" .. sent, from_somewhere()) end,
  function() return post(page, story(200), "X-Api-Key", "none" .. run .. "-" .. sent) end,
}

function request()
  sent = sent + 1
  local kind = sent % 20 + 1
  return kinds[kind <= #kinds and kind or kind % 3 + 1]()
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%.6f,"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}',
    summary.requests, summary.duration / 1e6, errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
