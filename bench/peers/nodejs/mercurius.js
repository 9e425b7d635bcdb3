// Mercurius on Fastify, with its JIT and its loaders; pg with prepared statements.
import fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

// A timestamp is sent as it comes, in the form of ISO 8601: making a Date of it and a string of that again costs more.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.replace(" ", "T")}:00`);

const STORY = `id, slug, title, summary, key_points as "keyPoints", image_url as "imageUrl",
  first_published_at as "firstPublishedAt", last_published_at as "lastPublishedAt", updated_at as "updatedAt",
  article_count as "articleCount", outlet_count as "outletCount", left_count as "leftCount",
  center_count as "centerCount", right_count as "rightCount", outlet_count - rated_count as "unratedCount",
  blindspot as "blindspotSide"`;
const ARTICLE = `id, story_id as "storyId", outlet_id as "outletId", url, title, excerpt, authors, kind, language,
  image_url as "imageUrl", paywalled, published_at as "publishedAt", updated_at as "updatedAt"`;
const OUTLET = `id, slug, name, domain, homepage_url as "homepageUrl", country, language, medium, bias,
  bias_score as "biasScore", side`;
const LATEST = "order by last_published_at desc, id desc limit $1";
const newest = (parent) => `
  select a.* from unnest($1::bigint[], $2::integer[]) wanted (id, first) cross join lateral (
    select ${ARTICLE} from articles where ${parent} = wanted.id order by published_at desc, id desc limit wanted.first
  ) a`;

const STATEMENTS = {
  story: `select ${STORY} from stories where slug = $1 and article_count > 0`,
  outlet: `select ${OUTLET} from outlets where slug = $1`,
  latest: `select ${STORY} from stories where article_count > 0 ${LATEST}`,
  latestWithBlindspot: `select ${STORY} from stories where article_count > 0 and blindspot = $2 ${LATEST}`,
  stories: `select ${STORY} from stories where id = any($1::bigint[])`,
  outlets: `select ${OUTLET} from outlets where id = any($1::bigint[])`,
  topics: `select p.story_id as "storyId", t.slug from story_topics p join topics t on t.id = p.topic_id
    where p.story_id = any($1::bigint[]) order by p.position`,
  newestOfStories: newest("story_id"),
  newestOfOutlets: newest("outlet_id"),
};

const SCHEMA = `
  enum Side { LEFT CENTER RIGHT }
  type Query {
    story(slug: String!): Story
    stories(first: Int!, blindspot: Side): [Story!]!
    outlet(slug: String!): Outlet
  }
  type Topic { slug: String! }
  type Story {
    id: ID! slug: String! title: String! summary: String keyPoints: [String!]! imageUrl: String
    firstPublishedAt: String! lastPublishedAt: String! updatedAt: String!
    articleCount: Int! outletCount: Int! leftCount: Int! centerCount: Int! rightCount: Int! unratedCount: Int!
    blindspotSide: Side
    topics: [Topic!]!
    articles(first: Int!): [Article!]!
  }
  type Article {
    id: ID! url: String! title: String! excerpt: String authors: [String!]! kind: String! language: String
    imageUrl: String paywalled: Boolean publishedAt: String! updatedAt: String!
    outlet: Outlet!
    story: Story!
  }
  type Outlet {
    id: ID! slug: String! name: String! domain: String! homepageUrl: String country: String language: String
    medium: String bias: String biasScore: Float side: Side
    articles(first: Int!): [Article!]!
  }`;

const pool = new pg.Pool({
  connectionString: process.env.PARALLAX_DATABASE_URL,
  min: 16,
  max: 16,
  options: "-c timezone=UTC -c jit=off",
});

async function rows(name, ...values) {
  return (await pool.query({ name, text: STATEMENTS[name], values })).rows;
}

/** A loader of one row for each parent, by the id that the parent holds. */
const one = (statement, key) => async (queries) => {
  const ids = [...new Set(queries.map(({ obj }) => obj[key]))];
  const found = new Map((await rows(statement, ids)).map((row) => [row.id, row]));
  return queries.map(({ obj }) => found.get(obj[key]));
};

/** A loader of the newest articles of each parent; of the longest page asked for, shorter ones are the beginning. */
const page = (statement, key) => async (queries) => {
  const longest = new Map();
  for (const { obj, params } of queries) {
    longest.set(obj.id, Math.max(params.first, longest.get(obj.id) ?? 0));
  }
  const found = Map.groupBy(await rows(statement, [...longest.keys()], [...longest.values()]), (row) => row[key]);
  return queries.map(({ obj, params }) => (found.get(obj.id) ?? []).slice(0, params.first));
};

async function topics(queries) {
  const found = Map.groupBy(await rows("topics", queries.map(({ obj }) => obj.id)), (row) => row.storyId);
  return queries.map(({ obj }) => found.get(obj.id) ?? []);
}

// Without the loaders' own cache, whose keys are the parents as JSON; each batch asks once for what it needs.
const uncached = (loader) => ({ loader, opts: { cache: false } });

const app = fastify();
app.register(mercurius, {
  schema: SCHEMA,
  resolvers: {
    Query: {
      story: async (_, { slug }) => (await rows("story", slug))[0],
      stories: (_, { first, blindspot }) =>
        blindspot ? rows("latestWithBlindspot", first, blindspot) : rows("latest", first),
      outlet: async (_, { slug }) => (await rows("outlet", slug))[0],
    },
  },
  loaders: {
    Story: { articles: uncached(page("newestOfStories", "storyId")), topics: uncached(topics) },
    Outlet: { articles: uncached(page("newestOfOutlets", "outletId")) },
    Article: { outlet: uncached(one("outlets", "outletId")), story: uncached(one("stories", "storyId")) },
  },
  jit: 1,
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PARALLAX_PORT) });
process.on("SIGTERM", () => process.exit(0));
