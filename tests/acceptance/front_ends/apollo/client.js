import {ApolloClient, ApolloLink, HttpLink, InMemoryCache} from '@apollo/client';
import {PersistedQueryLink} from '@apollo/client/link/persisted-queries';
import {GraphQLWsLink} from '@apollo/client/link/subscriptions';
import {OperationTypeNode} from 'graphql';
import {createClient} from 'graphql-ws';

import {possibleTypes, typePolicies} from '../parallax/apollo.js';

export function createParallax(url, key) {
  const headers = key ? {authorization: `Bearer ${key}`} : {};
  const http = new HttpLink({uri: url, headers});
  const persisted = new PersistedQueryLink({sha256, useGETForHashedQueries: true});
  const socket = new GraphQLWsLink(createClient({url: url.replace(/^http/, 'ws'), connectionParams: headers}));
  return new ApolloClient({
    cache: new InMemoryCache({possibleTypes, typePolicies}),
    link: ApolloLink.split(
      ({operationType}) => operationType === OperationTypeNode.SUBSCRIPTION,
      socket,
      persisted.concat(http),
    ),
  });
}

async function sha256(text) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
