// environment.mjs is the example of docs/quickstart.md, as the test in Python compiled it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import relay from 'relay-runtime';

import { allStories } from '../service.js';
import StoriesQuery from './__generated__/componentsStoriesQuery.graphql.js';
import { environment } from './environment.mjs';

test('a query is answered, and what it selects is in the store', async () => {
  const stories = (await allStories()).map(({ id, title }) => ({ id, title }));
  const variables = { first: stories.length };
  const data = await relay.fetchQuery(environment, StoriesQuery, variables).toPromise();
  assert.ok(stories.length > 1);
  assert.deepEqual(data.stories.nodes.map(({ id }) => id), stories.map(({ id }) => id));
  const [{ id, title }] = stories;
  assert.equal(environment.getStore().getSource().get(id).title, title);
});
