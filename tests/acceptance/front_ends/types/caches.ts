import {InMemoryCache} from '@apollo/client';
import {cacheExchange} from '@urql/exchange-graphcache';

import {possibleTypes, typePolicies} from '../parallax/apollo.js';
import {keys, resolvers} from '../parallax/graphcache.js';

export const cache = new InMemoryCache({possibleTypes, typePolicies});
export const exchange = cacheExchange({keys, resolvers});
