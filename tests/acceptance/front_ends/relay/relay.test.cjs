const assert = require('node:assert/strict');
const {createHash} = require('node:crypto');
const {before, test} = require('node:test');

const relay = require('relay-runtime');

const persisted = require('./persisted.json');

const artifact = (name) => require(`./__generated__/${name}.graphql.js`);
const FrontPage = artifact('componentsFrontPageQuery');
const StoryQuery = artifact('componentsStoryQuery');

let service, createParallax, stories;
before(async () => {
  service = await import('../service.js');
  ({createParallax} = require('./environment.cjs'));
  stories = await service.allStories();
});

const create = (key) => createParallax(service.url, key, persisted);
const fetchQuery = (environment, query, variables) => relay.fetchQuery(environment, query, variables).toPromise();

/** What a component with this fragment would be given, of the object that a query or fragment gave it. */
function read(environment, fragment, reference) {
  const selector = relay.getSelector(fragment, reference);
  const snapshot = environment.lookup(selector);
  assert.equal(snapshot.isMissingData, false);
  return snapshot.data;
}

function lookUp(environment, query, variables) {
  return environment.lookup(relay.createOperationDescriptor(query, variables).fragment).data;
}

/** The next page, as usePaginationFragment asks for it; false where there is none. */
async function loadNext(environment, fragment, reference, count) {
  const {connectionPathInFragmentData, paginationRequest, paginationMetadata} =
    relay.getPaginationMetadata(fragment, 'loadNext');
  const {identifierInfo} = relay.getRefetchMetadata(fragment, 'loadNext');
  const data = read(environment, fragment, reference);
  const {pageInfo} = connectionPathInFragmentData.reduce((at, step) => at[step], data);
  if (!pageInfo.hasNextPage) return false;
  const {owner, variables: own} = relay.getSelector(fragment, reference);
  const variables = relay.getPaginationVariables(
    'forward', count, pageInfo.endCursor, {...owner.variables, ...own}, {}, paginationMetadata,
  );
  if (identifierInfo) variables[identifierInfo.identifierQueryVariableName] = data[identifierInfo.identifierField];
  await fetchQuery(environment, paginationRequest, variables);
  return true;
}

test('every document has its SHA-256 for an id, and no text in what is shipped', () => {
  for (const [id, text] of Object.entries(persisted)) {
    assert.equal(createHash('sha256').update(text).digest('hex'), id);
  }
  assert.equal(FrontPage.params.text, null);
  assert.ok(persisted[FrontPage.params.id]);
});

test('a query and its fragments read what the service answers', () =>
  service.quietly(async () => {
    const environment = create(service.key);
    const {slug} = stories[0];
    await fetchQuery(environment, StoryQuery, {slug});
    const {story} = lookUp(environment, StoryQuery, {slug});
    const {coverage} = read(environment, artifact('components_story'), story);
    assert.equal(coverage.factuality.__typename, 'FactualityDistribution');
    const {left, center, right} = coverage.bias;
    assert.ok([0, 100].includes(left.percent + center.percent + right.percent));
  }));

test('what is withheld is read as what stands in its place', () =>
  service.quietly(async () => {
    const environment = create();
    const {slug} = stories[0];
    await fetchQuery(environment, StoryQuery, {slug});
    const {coverage} = read(environment, artifact('components_story'), lookUp(environment, StoryQuery, {slug}).story);
    assert.equal(coverage.factuality.feature, 'FACTUALITY');
  }));

test('pages of a connection of the query grow into one list, and those of another filter into another', () =>
  service.quietly(async () => {
    const environment = create();
    const fragment = artifact('components_frontPage');
    await fetchQuery(environment, FrontPage, {});
    const root = lookUp(environment, FrontPage, {});
    let pages = 1;
    while (pages < 20 && (await loadNext(environment, fragment, root, 5))) pages++;
    const ids = (reference) => read(environment, fragment, reference).stories.edges.map(({node}) => node.id);
    assert.equal(pages, 3);
    assert.deepEqual(ids(root), stories.map(({id}) => id));

    await fetchQuery(environment, FrontPage, {topics: ['politics']});
    const politics = ids(lookUp(environment, FrontPage, {topics: ['politics']}));
    assert.ok(politics.length > 0 && politics.length <= 5);
    assert.equal(ids(root).length, stories.length);
  }));

test('pages of a connection of a node are asked for by node(id:)', () =>
  service.quietly(async () => {
    const environment = create();
    const fragment = artifact('components_articles');
    const {slug} = stories[0];
    await fetchQuery(environment, StoryQuery, {slug});
    const {story} = lookUp(environment, StoryQuery, {slug});
    assert.equal(relay.getRefetchMetadata(fragment, 'test').identifierInfo.identifierField, 'id');
    let pages = 1;
    while (pages < 20 && (await loadNext(environment, fragment, story, 2))) pages++;
    const {articles} = read(environment, fragment, story);
    assert.ok(pages > 1);
    assert.equal(new Set(articles.edges.map(({node}) => node.id)).size, articles.edges.length);
    const times = articles.edges.map(({node}) => node.publishedAt);
    assert.deepEqual(times, times.toSorted());
  }));

test('a node that one query read is there for another', () =>
  service.quietly(async () => {
    const environment = create();
    await fetchQuery(environment, FrontPage, {});
    const NodeQuery = artifact('componentsNodeQuery');
    const {id} = stories[0];
    const {node} = await fetchQuery(environment, NodeQuery, {id});
    assert.equal(node.__typename, 'Story');
    assert.equal(environment.getStore().getSource().get(id).__typename, 'Story');
    assert.equal(read(environment, artifact('components_story'), node.story).title.length > 0, true);
    assert.equal((await fetchQuery(environment, NodeQuery, {id: 'no such id'})).node, null);
  }));

test('the text goes along once, and then the id is enough', () =>
  service.quietly(async () => {
    const {id} = FrontPage.params;
    const noted = [];
    const plain = globalThis.fetch;
    globalThis.fetch = service.noting(noted, plain);
    try {
      await fetchQuery(create(), FrontPage, {topics: ['elections']});
      noted.length = 0;
      await fetchQuery(create(), FrontPage, {topics: ['elections']});
    } finally {
      globalThis.fetch = plain;
    }
    assert.deepEqual(noted.map(({documentId, query}) => [documentId, query]), [[id, undefined]]);
  }));

test('errors come with their codes', async () => {
  const asked = fetchQuery(create(), artifact('componentsErrorQuery'), {first: -1});
  await assert.rejects(asked, ({source}) => source.errors[0].extensions.code === 'BAD_USER_INPUT');
});

test('a change that a subscription tells of shows in the store', () =>
  service.quietly(async () => {
    const environment = create();
    const {id, slug} = stories.find(({id}) => id === process.env.PARALLAX_CHANGING);
    await fetchQuery(environment, StoryQuery, {slug});
    const title = () => environment.getStore().getSource().get(id).title;
    const told = title();
    await new Promise((resolve, reject) => {
      relay.requestSubscription(environment, {
        subscription: artifact('componentsStoryChangedSubscription'),
        variables: {id},
        onNext: () => title() !== told && resolve(),
        onError: reject,
      });
    });
  }));
