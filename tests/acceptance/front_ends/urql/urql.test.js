import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {test} from 'node:test';

import {Client, fetchExchange, gql} from '@urql/core';
import {cacheExchange} from '@urql/exchange-graphcache';
import {buildClientSchema, getIntrospectionQuery} from 'graphql';

import {keys, resolvers} from '../parallax/graphcache.js';
import {allStories, key, noting, quietly, url} from '../service.js';
import {createParallax} from './client.js';
import {schemaOf} from './schema.js';

const stories = await allStories();
const schema = schemaOf(await (await fetch(url.replace('/graphql', '/schema.graphql'))).text());

async function ask(client, query, variables = {}, context = {}) {
  const {data, error} = await client.query(query, variables, context).toPromise();
  if (error) throw error;
  return data;
}

for (const name of ['StoryPage', 'StoryArticles']) {
  test(`the registered document ${name} goes through the cache without a warning`, () =>
    quietly(async () => {
      const text = await readFile(new URL(`../parallax/operations/${name}.graphql`, import.meta.url), 'utf8');
      const client = createParallax(url, key, schema);
      const variables = {slug: stories[0].slug, first: 5, sort: 'NEWEST', interval: 'DAY'};
      const first = await ask(client, text, variables);
      const again = await client.query(text, variables, {requestPolicy: 'cache-only'}).toPromise();
      assert.deepEqual(again.data, first);
    }));
}

test('objects that say what they are a part of, withheld or not, need no keys', () =>
  quietly(async () => {
    const query = gql`
      query Everything($slug: String!, $published: Window!) {
        story(by: {slug: $slug}) {
          id
          perspectives { ... on PerspectiveList { items { side summary } } ... on UpgradeRequired { feature } }
          coverage {
            id
            blindspot { side fraction }
            factuality {
              ... on FactualityDistribution { levels { factuality share { count } } }
              ... on UpgradeRequired { feature }
            }
            countries { country count }
            languages { language count }
          }
          reports { edges { node { articleCount outlet { id name ratings { agency bias } } } } pageInfo { hasNextPage } }
          timeline { start articleCount }
        }
        coverage(filter: {published: $published}) {
          storyCount
          blindspots { left right }
          bias { mean points { bias share { count percent } } }
          topOutlets { outlet { id } reportCount }
          topTopics { topic { id } storyCount }
        }
        compareOutlets(domains: ["outlet0.example", "outlet1.example"], published: $published) { a { id } b { id } jaccard }
        changes(first: 5) { changes { cursor kind story { id } } endCursor headCursor }
        viewer { tier { name } apiKey { prefix } rateLimit { limit } usage { day cost } }
        service { version storyCount }
      }
    `;
    const week = {after: new Date(Date.now() - 7 * 86_400_000).toISOString()};
    for (const credential of [undefined, key]) {
      const variables = {slug: stories[0].slug, published: week};
      const data = await ask(createParallax(url, credential, schema), query, variables);
      const withheld = 'feature' in data.story.coverage.factuality;
      assert.equal(withheld, credential === undefined);
    }
  }));

for (const selection of ['nodes { id title }', 'edges { cursor node { id title } }']) {
  test(`pages grow into one list: ${selection}`, () =>
    quietly(async () => {
      const query = gql`
        query Pages($first: Int!, $after: String, $filter: StoryFilter) {
          stories(first: $first, after: $after, filter: $filter) {
            ${selection}
            pageInfo { hasNextPage endCursor }
            totalCount { value }
          }
        }
      `;
      const client = createParallax(url, undefined, schema);
      let page = (await ask(client, query, {first: 5})).stories;
      for (let left = 20; page.pageInfo.hasNextPage && left; left--) {
        page = (await ask(client, query, {first: 5, after: page.pageInfo.endCursor})).stories;
      }
      const ids = (page.nodes ?? page.edges.map(({node}) => node)).map(({id}) => id);
      assert.deepEqual(ids, stories.map(({id}) => id));
      assert.equal(page.totalCount.value, stories.length);

      const others = (await ask(client, query, {first: 2, filter: {topics: ['politics']}})).stories;
      assert.ok((others.nodes ?? others.edges).length <= 2);
    }));
}

test('an object that one page was read with is there for another', () =>
  quietly(async () => {
    const client = createParallax(url, undefined, schema);
    const list = gql`{ stories(first: 3) { nodes { id slug title coverage { id outletCount } } } }`;
    const {stories: {nodes}} = await ask(client, list);
    const story = gql`query ($id: ID!) { node(id: $id) { id ... on Story { title coverage { id outletCount } } } }`;
    const data = await ask(client, story, {id: nodes[0].id});
    assert.equal(data.node.coverage.outletCount, nodes[0].coverage.outletCount);
  }));

test('errors come with their codes', () =>
  quietly(async () => {
    const client = createParallax(url, undefined, schema);
    const {error} = await client.query(gql`{ stories(first: -1) { nodes { id } } }`, {}).toPromise();
    assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT');
    const stranger = await createParallax(url, 'plx_wrong', schema).query(gql`{ service { version } }`, {}).toPromise();
    assert.equal(stranger.error.graphQLErrors[0].extensions.code, 'UNAUTHENTICATED');
  }));

test('documents go by their hash, with their text at the first time only', () =>
  quietly(async () => {
    const query = gql`query Automatic${Date.now()} { stories(first: 1) { nodes { id } } }`;
    const noted = [];
    const plain = globalThis.fetch;
    globalThis.fetch = noting(noted, plain);
    try {
      for (const _ of [1, 2]) await ask(createParallax(url, undefined, schema), query);
    } finally {
      globalThis.fetch = plain;
    }
    assert.deepEqual(noted.map(({method, query}) => [method, Boolean(query)]), [
      ['GET', false],
      ['GET', true],
      ['GET', false],
    ]);
  }));

test('a change that a subscription tells of shows in what is watched', () =>
  quietly(async () => {
    const client = createParallax(url, undefined, schema);
    const {slug, id} = stories.find(({id}) => id === process.env.PARALLAX_CHANGING);
    const titles = [];
    const query = gql`query ($slug: String!) { story(by: {slug: $slug}) { id title } }`;
    const changes = gql`subscription ($id: ID!) { storyChanged(id: $id) { kind story { id title } } }`;
    await new Promise((resolve, reject) => {
      client.query(query, {slug}).subscribe(({data, error}) => {
        if (error) reject(error);
        if (data) titles.push(data.story.title);
        if (titles.length > 1) resolve();
      });
      client.subscription(changes, {id}).subscribe(({error}) => error && reject(error));
    });
    assert.equal(new Set(titles).size, 2);
  }));

test('without keys there are warnings, so that their absence above says something', async () => {
  const client = new Client({url, preferGetMethod: false, exchanges: [cacheExchange({schema}), fetchExchange]});
  await assert.rejects(
    quietly(() => ask(client, gql`{ stories(first: 1) { nodes { id coverage { id bias { left { count } } } } } }`)),
    /Invalid key/,
  );
});

test('the service introspects as its SDL says', async () => {
  const body = JSON.stringify({query: getIntrospectionQuery()});
  const headers = {'content-type': 'application/json'};
  const {data} = await (await fetch(url, {method: 'POST', headers, body})).json();
  const types = buildClientSchema(data).getTypeMap();
  for (const name of Object.keys(keys)) assert.ok(types[name], name);
  for (const name of Object.keys(resolvers)) assert.ok(types[name], name);
});
