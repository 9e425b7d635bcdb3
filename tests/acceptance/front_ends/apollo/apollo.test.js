import assert from 'node:assert/strict';
import {test} from 'node:test';

import {ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql} from '@apollo/client';
import {Defer20220824Handler} from '@apollo/client/incremental';

import {possibleTypes, typePolicies} from '../parallax/apollo.js';
import {allStories, key, noting, quietly, url} from '../service.js';
import {createParallax} from './client.js';

const stories = await allStories();

function watch(client, query, variables) {
  const watched = client.watchQuery({query, variables});
  watched.subscribe(() => {});
  return watched;
}

/** Asks for page after page, and what the watched query then is. */
async function readToTheEnd(watched) {
  let page = (await firstOf(watched)).data.stories;
  for (let left = 20; page.pageInfo.hasNextPage && left; left--) {
    page = (await watched.fetchMore({variables: {after: page.pageInfo.endCursor}})).data.stories;
  }
  return shown(watched);
}

/** What those who watch see, once it is told. */
async function shown(watched) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return watched.getCurrentResult().data.stories;
}

function firstOf(watched) {
  return new Promise((resolve, reject) => {
    watched.subscribe((result) => {
      if (result.error) reject(result.error);
      if (result.data && !result.loading) resolve(result);
    });
  });
}

test('what one query learns about the parts of a story another adds to, without a warning', () =>
  quietly(async () => {
    const client = createParallax(url);
    const {slug} = stories[0];
    const ask = (query) => client.query({query, variables: {slug}});
    await ask(gql`query Left($slug: String!) { story(by: {slug: $slug}) { id coverage { id bias { left { count } } } } }`);
    await ask(gql`
      query Right($slug: String!) {
        story(by: {slug: $slug}) { id coverage { id bias { left { percent } right { count percent } ratedCount } } }
      }
    `);
    const both = gql`
      query Both($slug: String!) {
        story(by: {slug: $slug}) { id coverage { id bias { left { count percent } right { count } ratedCount } } }
      }
    `;
    assert.ok(client.readQuery({query: both, variables: {slug}})?.story.coverage.bias.left.percent >= 0);
  }));

test('a value that was withheld makes room for the one that is not', () =>
  quietly(async () => {
    const query = gql`
      query Factuality($slug: String!) {
        story(by: {slug: $slug}) {
          id
          coverage {
            id
            factuality {
              ... on FactualityDistribution { ratedCount }
              ... on UpgradeRequired { feature tier }
            }
          }
        }
      }
    `;
    const {slug} = stories[0];
    const withheld = await createParallax(url).query({query, variables: {slug}});
    const {factuality} = withheld.data.story.coverage;
    assert.equal(factuality.__typename, 'UpgradeRequired');
    assert.equal(factuality.feature, 'FACTUALITY');

    const client = createParallax(url, key);
    client.writeQuery({query, variables: {slug}, data: withheld.data});
    const {data} = await client.query({query, variables: {slug}, fetchPolicy: 'network-only'});
    const coverage = client.cache.extract()[client.cache.identify(data.story.coverage)];
    assert.deepEqual(Object.keys(coverage.factuality).sort(), ['__typename', 'ratedCount']);
  }));

for (const selection of ['nodes { id title }', 'edges { cursor node { id title } }']) {
  test(`pages grow into one list: ${selection}`, () =>
    quietly(async () => {
      const query = gql`
        query Pages($first: Int!, $after: String, $filter: StoryFilter) {
          stories(first: $first, after: $after, filter: $filter) {
            ${selection}
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            totalCount { value }
          }
        }
      `;
      const client = createParallax(url);
      const all = await readToTheEnd(watch(client, query, {first: 5}));
      const ids = (all.nodes ?? all.edges.map(({node}) => node)).map(({id}) => id);
      assert.deepEqual(ids, stories.map(({id}) => id));
      assert.equal(all.pageInfo.hasPreviousPage, false);

      const others = await client.query({query, variables: {first: 5, filter: {topics: ['politics']}}});
      assert.ok((others.data.stories.nodes ?? others.data.stories.edges).length <= 5);
      const kept = client.readQuery({query, variables: {first: 5}}).stories;
      assert.equal((kept.nodes ?? kept.edges).length, stories.length);
    }));
}

test('a list of what has no ids grows too', () =>
  quietly(async () => {
    const query = gql`
      query Reports($slug: String!, $first: Int!, $after: String) {
        story(by: {slug: $slug}) {
          id
          reports(first: $first, after: $after) {
            nodes { articleCount outlet { id } }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `;
    const client = createParallax(url);
    const {slug} = stories[0];
    const whole = await createParallax(url).query({query, variables: {slug, first: 100}});
    const watched = watch(client, query, {slug, first: 2});
    let page = (await firstOf(watched)).data.story.reports;
    for (let left = 20; page.pageInfo.hasNextPage && left; left--) {
      page = (await watched.fetchMore({variables: {after: page.pageInfo.endCursor}})).data.story.reports;
    }
    const {story} = client.readQuery({query, variables: {slug, first: 2}});
    assert.ok(story.reports.nodes.length > 2);
    assert.deepEqual(story.reports.nodes, whole.data.story.reports.nodes);
  }));

test('nodes grow backwards too, and a list that is asked for anew begins anew', () =>
  quietly(async () => {
    const query = gql`
      query Back($last: Int, $before: String) {
        stories(last: $last, before: $before) {
          nodes { id }
          pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
        }
      }
    `;
    const client = createParallax(url);
    const watched = watch(client, query, {last: 4});
    let page = (await firstOf(watched)).data.stories;
    for (let left = 20; page.pageInfo.hasPreviousPage && left; left--) {
      page = (await watched.fetchMore({variables: {before: page.pageInfo.startCursor}})).data.stories;
    }
    page = await shown(watched);
    assert.deepEqual(page.nodes.map(({id}) => id), stories.map(({id}) => id));
    assert.equal(page.pageInfo.hasNextPage, false);
    await watched.refetch();
    assert.equal((await shown(watched)).nodes.length, 4);
  }));

test('nodes and edges of one list that are read in turn keep each page once', () =>
  quietly(async () => {
    const pageInfo = 'pageInfo { hasNextPage endCursor }';
    const nodes = gql`query N($after: String) { stories(first: 3, after: $after) { nodes { id } ${pageInfo} } }`;
    const edges = gql`query E($after: String) { stories(first: 3, after: $after) { edges { node { id } } ${pageInfo} } }`;
    const client = createParallax(url);
    const watched = watch(client, nodes, {});
    const first = (await firstOf(watched)).data.stories;
    await watched.fetchMore({variables: {after: first.pageInfo.endCursor}});
    await client.query({query: edges, fetchPolicy: 'network-only'});
    await watched.fetchMore({variables: {after: first.pageInfo.endCursor}});
    assert.deepEqual(
      (await shown(watched)).nodes.map(({id}) => id),
      stories.slice(0, 6).map(({id}) => id),
    );
  }));

test('fragments on the interface match the types that implement it', () =>
  quietly(async () => {
    const query = gql`
      query Node($id: ID!) { node(id: $id) { ...Named } }
      fragment Named on Node { id ... on Story { title } }
    `;
    const {data} = await createParallax(url).query({query, variables: {id: stories[0].id}});
    assert.equal(data.node.title, stories[0].title);
  }));

const CODES = [
  ['BAD_USER_INPUT', '{ stories(first: -1) { nodes { id } } }'],
  ['GRAPHQL_VALIDATION_FAILED', '{ nothing }'],
  ['UPGRADE_REQUIRED', '{ outlets(filter: {factuality: [HIGH]}) { nodes { id } } }'],
  ['UNAUTHENTICATED', '{ service { version } }', 'plx_wrong'],
];
for (const [code, text, credential] of CODES) {
  test(`${code} reaches the program as CombinedGraphQLErrors`, () =>
    quietly(async () => {
      const asked = createParallax(url, credential).query({query: gql(text)});
      await assert.rejects(asked, (error) => {
        assert.ok(CombinedGraphQLErrors.is(error), String(error));
        assert.equal(error.errors[0].extensions.code, code);
        assert.ok(error.errors[0].extensions.requestId);
        return true;
      });
    }));
}

test('documents go by their hash and GET, with their text at the first time only', () =>
  quietly(async () => {
    const query = gql`query Automatic${Date.now()} { stories(first: 1) { nodes { id } } }`;
    const noted = [];
    const plain = globalThis.fetch;
    globalThis.fetch = noting(noted, plain);
    try {
      for (const _ of [1, 2]) await createParallax(url).query({query});
    } finally {
      globalThis.fetch = plain;
    }
    assert.deepEqual(noted.map(({method, query}) => [method, Boolean(query)]), [
      ['GET', false],
      ['POST', true],
      ['GET', false],
    ]);
  }));

test('@defer is declined with words that say what to do', () =>
  quietly(async () => {
    const client = new ApolloClient({
      cache: new InMemoryCache({possibleTypes, typePolicies}),
      link: new HttpLink({uri: url}),
      incrementalHandler: new Defer20220824Handler(),
    });
    const query = gql`{ stories(first: 1) { nodes { id ... @defer { title } } } }`;
    await assert.rejects(client.query({query}), (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), String(error));
      assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
      assert.match(error.errors[0].message, /@defer.*leave it out/);
      return true;
    });
    const whole = gql`{ stories(first: 1) { nodes { id title } } }`;
    assert.equal((await client.query({query: whole})).data.stories.nodes.length, 1);
  }));

test('a change that a subscription tells of shows in what is watched', () =>
  quietly(async () => {
    const client = createParallax(url);
    const {slug, id} = stories.find(({id}) => id === process.env.PARALLAX_CHANGING);
    const query = gql`query Title($slug: String!) { story(by: {slug: $slug}) { id title } }`;
    const watched = watch(client, query, {slug});
    const before = (await firstOf(watched)).data.story.title;
    const changes = client.subscribe({
      query: gql`subscription Change($id: ID!) { storyChanged(id: $id) { kind story { id title } } }`,
      variables: {id},
    });
    // The first that is told can be what was read before.
    const told = [];
    await new Promise((resolve, reject) => {
      let shown;
      const compare = () => shown !== before && told.some(({story}) => story.title === shown) && resolve();
      watched.subscribe(({data}) => ((shown = data.story.title), compare()));
      changes.subscribe({next: ({data}) => (told.push(data.storyChanged), compare()), error: reject});
    });
    assert.ok(told.every(({kind}) => kind === 'UPDATED'));
  }));

test('what a subscription may not ask for is told with its code', () =>
  quietly(async () => {
    const query = gql`subscription { storyChanged(id: "story_1", filter: {minOutlets: "many"}) { kind } }`;
    const events = createParallax(url).subscribe({query});
    const {error} = await new Promise((resolve) => events.subscribe({next: resolve, error: (error) => resolve({error})}));
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  }));
