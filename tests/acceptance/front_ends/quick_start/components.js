// What is asked by the environment of the quick start. relay-compiler reads it; nothing runs it.
const {graphql} = require('relay-runtime');

graphql`
  query componentsStoriesQuery($first: Int!) {
    stories(first: $first) { nodes { id title } }
  }
`;
