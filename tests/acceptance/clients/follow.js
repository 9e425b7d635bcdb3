// Follows changes with the clients that people use, loses its connection on the way, and goes on where it was.
// Arguments: the client (ws or sse), the URL, how many changes to hear before and after the break. Prints each change.

import { createClient as createEventsClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";

const [kind, url, before, after] = process.argv.slice(2);
const query = "subscription ($after: String) { storyChanged(after: $after) { cursor storyId story { title } } }";

function open() {
  if (kind === "ws") {
    return createSocketClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0, lazy: true });
  }
  return createEventsClient({ url, retryAttempts: 0 });
}

async function hear(count, cursor) {
  const client = open();
  let last = cursor;
  const changes = client.iterate({ query, variables: { after: cursor } });
  // A subscription begins when it is first asked for what comes.
  let upcoming = changes.next();
  if (!cursor) setTimeout(() => console.log(JSON.stringify({ listening: true })), 1000);
  for (let heard = 0; heard < count; heard++) {
    const { value } = await upcoming;
    if (value.errors) throw new Error(JSON.stringify(value.errors));
    last = value.data.storyChanged.cursor;
    console.log(JSON.stringify(value.data.storyChanged));
    if (heard + 1 < count) upcoming = changes.next();
  }
  if (kind === "ws") client.terminate();
  else client.dispose();
  return last;
}

const cursor = await hear(Number(before), null);
console.log(JSON.stringify({ broken: true }));
await new Promise((resolve) => process.stdin.once("data", resolve));
await hear(Number(after), cursor);
process.exit(0);
