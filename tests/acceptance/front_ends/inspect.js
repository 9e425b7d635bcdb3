// node inspect.js: what GraphQL Inspector finds wrong with each registered document, a line of JSON for each of them.
import {readFile, readdir} from 'node:fs/promises';

import {validate} from '@graphql-inspector/core';
import {Source, buildSchema} from 'graphql';

const schema = buildSchema(await readFile('parallax/schema.graphql', 'utf8'));
for (const name of await readdir('parallax/operations')) {
  const text = await readFile(`parallax/operations/${name}`, 'utf8');
  const found = validate(schema, [new Source(text, name)]);
  console.log(JSON.stringify({name, errors: found.flatMap(({errors}) => errors.map(({message}) => message))}));
}
