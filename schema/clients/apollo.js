// What the cache of Apollo Client has to know of Parallax. Generated from its SDL: do not edit, take the new one.
//
//     new InMemoryCache({possibleTypes, typePolicies})

import {relayStylePagination} from '@apollo/client/utilities';

/** By interface or union, the types that may stand for it: by these, fragments match. */
export const possibleTypes = {
  CoverageFactuality: ["FactualityDistribution", "UpgradeRequired"],
  CoverageOwnership: ["OwnershipDistribution", "UpgradeRequired"],
  Node: ["Article", "Outlet", "Place", "Story", "Topic"],
  OutletFactuality: ["FactualityRating", "UpgradeRequired"],
  OutletOwnership: ["Ownership", "UpgradeRequired"],
  StoryPerspectives: ["PerspectiveList", "UpgradeRequired"],
};

/**
 * Pages of a connection as one list, which `fetchMore` makes longer: `edges` by Apollo's own policy, which leaves out
 * `nodes`, and these likewise. `ends` tells how many nodes there are up to the end of each page.
 *
 * @param {string[] | false} keyArgs - the arguments that tell one list from another
 */
function pages(keyArgs = false) {
  const edges = relayStylePagination(keyArgs);
  return {
    keyArgs,
    read(existing, options) {
      const shown = edges.read(existing, options);
      return shown?.nodes ? {...shown, nodes: shown.nodes.filter(options.canRead)} : shown;
    },
    merge(existing, incoming, options) {
      const merged = edges.merge(existing, incoming, options);
      if (!incoming?.nodes) return merged;
      const {after, before} = options.args ?? {};
      const {startCursor, endCursor, hasPreviousPage, hasNextPage} = existing?.pageInfo ?? {};
      const known = existing?.nodes ?? [];
      let {nodes} = incoming;
      let {pageInfo} = merged;
      let ends = {};
      let end = nodes.length;
      if (after && existing?.ends?.[after]) {
        nodes = [...known.slice(0, existing.ends[after]), ...nodes];
        pageInfo = {...pageInfo, startCursor, hasPreviousPage};
        ends = existing.ends;
        end = nodes.length;
      } else if (before && before === startCursor) {
        for (const [cursor, count] of Object.entries(existing.ends ?? {})) ends[cursor] = count + nodes.length;
        nodes = [...nodes, ...known];
        pageInfo = {...pageInfo, endCursor, hasNextPage};
      }
      const last = incoming.pageInfo?.endCursor;
      return {...merged, nodes, pageInfo, ends: last ? {...ends, [last]: end} : ends};
    },
  };
}

/** Objects without an id are parts of what they came with; connections grow page by page. */
export const typePolicies = {
  AgencyRating: {keyFields: false},
  ApiKeyInfo: {keyFields: false},
  ArticleConnection: {
    keyFields: false,
    fields: {
      totalCount: {merge: true},
    },
  },
  ArticleEdge: {keyFields: false},
  BiasCount: {keyFields: false},
  BiasDistribution: {
    keyFields: false,
    fields: {
      center: {merge: true},
      left: {merge: true},
      right: {merge: true},
    },
  },
  Blindspot: {keyFields: false},
  BlindspotCount: {keyFields: false},
  ChangeFeed: {keyFields: false},
  CountryCount: {keyFields: false},
  Coverage: {
    fields: {
      bias: {merge: true},
      blindspot: {merge: true},
      factuality: {merge: true},
      ownership: {merge: true},
    },
  },
  CoverageReport: {
    keyFields: false,
    fields: {
      bias: {merge: true},
      blindspots: {merge: true},
      factuality: {merge: true},
      ownership: {merge: true},
    },
  },
  FactualityCount: {keyFields: false},
  FactualityDistribution: {keyFields: false},
  FactualityRating: {keyFields: false},
  LanguageCount: {keyFields: false},
  Outlet: {
    fields: {
      activity: {merge: true},
      articles: pages(["filter", "sort"]),
      factuality: {merge: true},
      ownership: {merge: true},
      stories: pages(["filter", "sort"]),
    },
  },
  OutletActivity: {keyFields: false},
  OutletConnection: {
    keyFields: false,
    fields: {
      totalCount: {merge: true},
    },
  },
  OutletCount: {keyFields: false},
  OutletEdge: {keyFields: false},
  OutletOverlap: {keyFields: false},
  Owner: {keyFields: false},
  Ownership: {keyFields: false},
  OwnershipCount: {keyFields: false},
  OwnershipDistribution: {keyFields: false},
  PageInfo: {keyFields: false},
  Perspective: {keyFields: false},
  PerspectiveList: {keyFields: false},
  Place: {
    fields: {
      stories: pages(["filter", "sort"]),
    },
  },
  PlaceConnection: {
    keyFields: false,
    fields: {
      totalCount: {merge: true},
    },
  },
  PlaceEdge: {keyFields: false},
  Query: {
    fields: {
      articles: pages(["filter", "sort"]),
      changes: {merge: true},
      coverage: {merge: true},
      outlets: pages(["filter", "sort"]),
      places: pages(),
      service: {merge: true},
      stories: pages(["filter", "sort"]),
      topics: pages(),
      viewer: {merge: true},
    },
  },
  RateLimit: {keyFields: false},
  Report: {keyFields: false},
  ReportConnection: {
    keyFields: false,
    fields: {
      totalCount: {merge: true},
    },
  },
  ReportEdge: {keyFields: false},
  ServiceInfo: {keyFields: false},
  Share: {keyFields: false},
  Story: {
    fields: {
      articles: pages(["filter", "sort"]),
      perspectives: {merge: true},
      reports: pages(["side"]),
    },
  },
  StoryChange: {keyFields: false},
  StoryConnection: {
    keyFields: false,
    fields: {
      totalCount: {merge: true},
    },
  },
  StoryEdge: {keyFields: false},
  Tier: {keyFields: false},
  TimelineBucket: {keyFields: false},
  Topic: {
    fields: {
      coverage: {merge: true},
      stories: pages(["filter", "sort"]),
    },
  },
  TopicConnection: {
    keyFields: false,
    fields: {
      totalCount: {merge: true},
    },
  },
  TopicCount: {keyFields: false},
  TopicEdge: {keyFields: false},
  TotalCount: {keyFields: false},
  UpgradeRequired: {keyFields: false},
  UsageDay: {keyFields: false},
  Viewer: {
    keyFields: false,
    fields: {
      apiKey: {merge: true},
      rateLimit: {merge: true},
      tier: {merge: true},
    },
  },
};
