// What urql's Graphcache has to know of Parallax. Generated from its SDL: do not edit, take the new one.
//
//     cacheExchange({schema, keys, resolvers})

import {relayPagination} from '@urql/exchange-graphcache/extras';

/** Objects without an id are parts of what they came with. */
export const keys = {
  AgencyRating: () => null,
  ApiKeyInfo: () => null,
  ArticleConnection: () => null,
  ArticleEdge: () => null,
  BiasCount: () => null,
  BiasDistribution: () => null,
  Blindspot: () => null,
  BlindspotCount: () => null,
  ChangeFeed: () => null,
  CountryCount: () => null,
  CoverageReport: () => null,
  FactualityCount: () => null,
  FactualityDistribution: () => null,
  FactualityRating: () => null,
  LanguageCount: () => null,
  OutletActivity: () => null,
  OutletConnection: () => null,
  OutletCount: () => null,
  OutletEdge: () => null,
  OutletOverlap: () => null,
  Owner: () => null,
  Ownership: () => null,
  OwnershipCount: () => null,
  OwnershipDistribution: () => null,
  PageInfo: () => null,
  Perspective: () => null,
  PerspectiveList: () => null,
  PlaceConnection: () => null,
  PlaceEdge: () => null,
  RateLimit: () => null,
  Report: () => null,
  ReportConnection: () => null,
  ReportEdge: () => null,
  ServiceInfo: () => null,
  Share: () => null,
  StoryChange: () => null,
  StoryConnection: () => null,
  StoryEdge: () => null,
  Tier: () => null,
  TimelineBucket: () => null,
  TopicConnection: () => null,
  TopicCount: () => null,
  TopicEdge: () => null,
  TotalCount: () => null,
  UpgradeRequired: () => null,
  UsageDay: () => null,
  Viewer: () => null,
};

/** Pages of a connection as one list. Those of `Story.reports` stay apart, since a report has no id. */
export const resolvers = {
  Outlet: {
    articles: relayPagination(),
    stories: relayPagination(),
  },
  Place: {
    stories: relayPagination(),
  },
  Query: {
    articles: relayPagination(),
    outlets: relayPagination(),
    places: relayPagination(),
    stories: relayPagination(),
    topics: relayPagination(),
  },
  Story: {
    articles: relayPagination(),
  },
  Topic: {
    stories: relayPagination(),
  },
};
