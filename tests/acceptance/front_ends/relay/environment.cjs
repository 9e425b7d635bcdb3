const {createClient} = require('graphql-ws');
const {Environment, Network, Observable, RecordSource, Store} = require('relay-runtime');

function createParallax(url, key, texts) {
  const headers = key ? {authorization: `Bearer ${key}`} : {};
  const socket = createClient({url: url.replace(/^http/, 'ws'), connectionParams: headers});

  async function ask(body) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {...headers, 'content-type': 'application/json', accept: 'application/graphql-response+json'},
      body: JSON.stringify(body),
    });
    return await answer.json();
  }

  // The id that relay-compiler gave the document is its SHA-256, by which the service keeps it once it has the text.
  async function answer({id}, variables) {
    const known = await ask({documentId: id, variables});
    if (known.errors?.[0]?.extensions?.code !== 'PERSISTED_QUERY_NOT_FOUND') return known;
    const persistedQuery = {version: 1, sha256Hash: id};
    return await ask({query: texts[id], variables, extensions: {persistedQuery}});
  }

  const follow = ({id}, variables) =>
    Observable.create((sink) => socket.subscribe({query: texts[id], variables}, sink));

  return new Environment({network: Network.create(answer, follow), store: new Store(new RecordSource())});
}

module.exports = {createParallax};
