// The service that a test is run against, and what a test can ask of its own console.
import assert from 'node:assert/strict';

import WebSocket from 'ws';

// Browsers have one, and Node.js from 22.
globalThis.WebSocket ??= WebSocket;

export const url = process.env.PARALLAX_URL;
export const key = process.env.PARALLAX_KEY;

/** Runs this, and fails where it had anything to warn of. */
export async function quietly(work) {
  const said = [];
  const {warn, error} = console;
  console.warn = console.error = (...words) => said.push(words.join(' '));
  try {
    return await work();
  } finally {
    Object.assign(console, {warn, error});
    assert.deepEqual(said, []);
  }
}

/** A `fetch` that notes what it was asked: the method, and the members of the request. */
export function noting(noted, plain = fetch) {
  return (address, options) => {
    const {searchParams} = new URL(address);
    const body = options.body ? JSON.parse(options.body) : Object.fromEntries(searchParams);
    noted.push({method: options.method ?? 'GET', ...body});
    return plain(address, options);
  };
}

/** Every story of the service, newest first, as a client without a cache sees them. */
export async function allStories() {
  const query = '{ stories(first: 100) { nodes { id slug title } } }';
  const answer = await fetch(url, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({query}),
  });
  return (await answer.json()).data.stories.nodes;
}
