// What the components of a front end would say they need. relay-compiler reads it; nothing runs it.
const {graphql} = require('relay-runtime');

graphql`
  query componentsFrontPageQuery($topics: [String!]) {
    ...components_frontPage @arguments(topics: $topics)
    viewer { tier { name } }
  }
`;

graphql`
  fragment components_frontPage on Query
  @argumentDefinitions(
    count: {type: "Int", defaultValue: 5}
    cursor: {type: "String"}
    topics: {type: "[String!]"}
  )
  @refetchable(queryName: "componentsFrontPagePaginationQuery") {
    stories(first: $count, after: $cursor, filter: {topics: $topics}) @connection(key: "components_stories", filters: ["filter"]) {
      edges { node { id slug ...components_story } }
      totalCount { value precision }
    }
  }
`;

graphql`
  fragment components_story on Story {
    title
    lastPublishedAt
    coverage {
      id
      outletCount
      bias { left { percent } center { percent } right { percent } }
      factuality {
        __typename
        ... on FactualityDistribution { ratedCount }
        ... on UpgradeRequired { feature tier message }
      }
    }
  }
`;

graphql`
  fragment components_articles on Story
  @argumentDefinitions(count: {type: "Int", defaultValue: 2}, cursor: {type: "String"}, sides: {type: "[Side!]"})
  @refetchable(queryName: "componentsArticlesPaginationQuery") {
    articles(first: $count, after: $cursor, filter: {sides: $sides}, sort: OLDEST) @connection(key: "components_articles") {
      edges { node { id title kind publishedAt outlet { id name bias } } }
    }
  }
`;

graphql`
  query componentsStoryQuery($slug: String!) {
    story(by: {slug: $slug}) { id ...components_story ...components_articles }
  }
`;

graphql`
  query componentsNodeQuery($id: ID!) {
    node(id: $id) { __typename id ...components_story @alias(as: "story") }
  }
`;

graphql`
  query componentsErrorQuery($first: Int!) {
    stories(first: $first) { nodes { id } }
  }
`;

graphql`
  subscription componentsStoryChangedSubscription($id: ID!) {
    storyChanged(id: $id) { kind story { id ...components_story } }
  }
`;
