import {Client, fetchExchange, subscriptionExchange} from '@urql/core';
import {cacheExchange} from '@urql/exchange-graphcache';
import {persistedExchange} from '@urql/exchange-persisted';
import {createClient} from 'graphql-ws';

import {keys, resolvers} from '../parallax/graphcache.js';

export function createParallax(url, key, schema) {
  const headers = key ? {authorization: `Bearer ${key}`} : {};
  const socket = createClient({url: url.replace(/^http/, 'ws'), connectionParams: headers});
  return new Client({
    url,
    preferGetMethod: false,
    fetchOptions: {headers},
    exchanges: [
      cacheExchange({schema, keys, resolvers}),
      persistedExchange({preferGetForPersistedQueries: true}),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({query, variables}) => ({
          subscribe: (sink) => ({unsubscribe: socket.subscribe({query: query ?? '', variables}, sink)}),
        }),
      }),
    ],
  });
}
