import type {TypedDocumentNode} from '@graphql-typed-document-node/core';
import {print} from 'graphql';

import {FrontPageDocument, StoryPageDocument, type Side} from './gql/graphql.js';

interface Answer<Data> {
  data?: Data;
  errors?: {message: string; extensions: {code: string; requestId: string}}[];
}

async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const answer = await fetch(process.env.PARALLAX_URL!, {
    method: 'POST',
    headers: {'content-type': 'application/json', accept: 'application/graphql-response+json'},
    body: JSON.stringify({query: print(document), variables}),
  });
  const {data, errors} = (await answer.json()) as Answer<Data>;
  if (!data) throw new Error(errors?.map(({message, extensions}) => `${extensions.code}: ${message}`).join('\n'));
  return data;
}

const {stories} = await ask(FrontPageDocument, {first: 1});
const [newest] = stories.nodes;
if (!newest) throw new Error('There is no story.');
const side: Side | null = newest.coverage.blindspot?.side ?? null;

const {story} = await ask(StoryPageDocument, {slug: newest.slug});
const factuality = story?.coverage.factuality;
const told = factuality?.__typename === 'UpgradeRequired' ? factuality.message : factuality?.ratedCount.toString();
console.log(JSON.stringify({title: story?.title, side, factuality: told, since: story?.firstPublishedAt.slice(0, 4)}));
