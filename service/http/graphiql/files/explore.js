// Starts GraphiQL on this page, with examples in tabs of their own.
(function () {
  "use strict";

  const FRONT_PAGE = `# Parallax: one story, every vantage point.
#
# The tabs hold examples: Ctrl-Enter runs one.
# The book on the left describes every field;
# Ctrl-Space completes what you type.

query FrontPage {
  stories(first: 5, sort: LATEST) {
    nodes {
      slug
      title
      lastPublishedAt
      coverage {
        articleCount
        outletCount
        bias {
          left { count percent }
          center { count percent }
          right { count percent }
          unratedCount
        }
        blindspot { side }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

  const BLINDSPOTS = `# Stories that one side of the press hardly reports.

query Blindspots($side: Side!) {
  stories(first: 10, filter: { blindspot: $side }) {
    totalCount { value precision }
    nodes {
      title
      coverage {
        outletCount
        bias {
          left { count }
          center { count }
          right { count }
        }
        blindspot { side }
      }
    }
  }
}
`;

  const STORY = `# The most covered story: who reported it first,
# how coverage grew, and who told it lately.

query MostCovered {
  stories(first: 1, sort: MOST_COVERED) {
    nodes {
      id
      title
      summary
      keyPoints
      topics { slug name }
      firstArticle { publishedAt outlet { name } }
      coverage {
        bias { points { bias share { count } } mean ratedCount unratedCount }
        factuality {
          __typename
          ... on UpgradeRequired { feature tier message }
        }
      }
      timeline(interval: DAY) { start articleCount }
      articles(first: 5) {
        nodes { title excerpt language url outlet { name bias country } }
      }
      related(first: 3) { title slug }
    }
  }
}
`;

  const OUTLETS = `# Outlets with the most articles, what agencies
# say of them, and what they published last.

query Outlets {
  outlets(first: 5, sort: MOST_ARTICLES) {
    nodes {
      name
      domain
      country
      medium
      bias
      biasScore
      ratings { agency bias ratedAt }
      articles(first: 3) { nodes { title story { title slug } } }
    }
  }
}
`;

  const COVERAGE = `# Everything of a window: how the press divides, day
# by day, and what it wrote about.

query Coverage($published: Window!) {
  coverage(filter: { published: $published }) {
    storyCount
    articleCount
    reportCount
    bias {
      left { percent }
      center { percent }
      right { percent }
      unratedCount
    }
    blindspots { left right }
    timeline(interval: DAY) { start reportCount left center right unrated }
    topOutlets(first: 5) { outlet { name bias } reportCount }
    topTopics(first: 5) { topic { name } storyCount }
  }
}
`;

  const CHANGES = `# Stories as they change, for as long as this runs:
# load something, and look.

subscription Changes {
  storyChanged {
    cursor
    kind
    at
    story { title coverage { outletCount } }
  }
}
`;

  const WEEK = 7 * 24 * 3600 * 1000;
  const given = new URLSearchParams(window.location.search);
  const examples = [
    { query: FRONT_PAGE },
    { query: BLINDSPOTS, variables: JSON.stringify({ side: "LEFT" }, null, 2) },
    { query: STORY },
    { query: OUTLETS },
    {
      query: COVERAGE,
      variables: JSON.stringify({ published: { after: new Date(Date.now() - WEEK).toISOString() } }, null, 2),
    },
    { query: CHANGES },
  ];
  // As GraphiQL's own properties: of those who were here before it keeps the tabs, and shows this beside them.
  const asked = given.has("query")
    ? { query: given.get("query"), variables: given.get("variables") || undefined }
    : { defaultTabs: examples };

  const caller = window.parallaxCaller;
  const fetcher = GraphiQL.createFetcher({
    url: window.location.pathname,
    subscriptionUrl: window.location.origin.replace(/^http/, "ws") + window.location.pathname,
    headers: { Accept: "application/graphql-response+json, application/json;q=0.9" },
    fetch: caller.fetch,
    wsConnectionParams: caller.connectionParams,
  });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(
      GraphiQL,
      Object.assign({ fetcher: fetcher, defaultQuery: FRONT_PAGE, shouldPersistHeaders: false }, asked),
    ),
  );
})();
