-- Reads the pages of stories over one connection, each chosen at random, and watches that no page is older than one that came
-- before it. A page's title ends in the number of its last change. Arguments: how many stories, the query, what chance begins
-- with, milliseconds to rest between reads.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    stories, query, reads, older, changes = tonumber(args[1]), args[2], 0, 0, 0
    latest = {}
    math.randomseed(tonumber(args[3]))
    rest = tonumber(args[4])
end

function delay()
    return rest
end

function request()
    return wrk.format("GET", "/graphql?variables=%7B%22id%22%3A%22story_" .. math.random(stories) .. "%22%7D&query=" .. query)
end

function response(status, headers, body)
    local id, number = body:match('"id":"story_(%d+)","title":"[^"]-(%d+)"')
    if status ~= 200 or not id then
        error("not a story's page: " .. body)
    end
    reads, number = reads + 1, tonumber(number)
    if latest[id] and number < latest[id] then
        older = older + 1
    elseif number ~= latest[id] then
        latest[id], changes = number, changes + 1
    end
end

function done(summary, latency)
    local thread = threads[1]
    print(string.format('{"reads":%d,"older":%d,"changes":%d,"broken":%d,"late":%d,"longest":%.3f}', thread:get("reads"),
        thread:get("older"), thread:get("changes"), summary.errors.connect + summary.errors.read + summary.errors.write,
        summary.errors.timeout, latency.max / 1e6))
end
