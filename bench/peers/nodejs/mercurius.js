// Mercurius on Fastify, with its JIT and its loaders; pg with prepared statements.
import fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

// A timestamp is sent as it comes, in the form of ISO 8601: making a Date of it and a string of that again costs more.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.replace(" ", "T")}:00`);

// What a field is read from where that is no column of its own name; lists have statements of their own.
const SOURCES = {
  unratedCount: 'outlet_count - rated_count as "unratedCount"',
  blindspotSide: 'blindspot as "blindspotSide"',
  outlet: 'outlet_id as "outletId"',
  story: 'story_id as "storyId"',
  topics: null,
  articles: null,
  __typename: null,
};
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const source = (field) => (field in SOURCES ? SOURCES[field] : `${snake(field)} as "${field}"`);

function collect(selectionSet, fragments, fields) {
  for (const each of selectionSet.selections) {
    if (each.kind === "Field") {
      fields.add(each.name.value);
    } else {
      collect((each.kind === "FragmentSpread" ? fragments[each.name.value] : each).selectionSet, fragments, fields);
    }
  }
  return fields;
}

const known = new WeakMap();

/** The columns that are asked for and no others, found out once for each field of a parsed operation. */
function columns(info, ...needed) {
  const [node] = info.fieldNodes;
  if (!known.has(node)) {
    const fields = new Set(needed);
    for (const each of info.fieldNodes) {
      collect(each.selectionSet, info.fragments, fields);
    }
    known.set(node, [...fields].sort().map(source).filter(Boolean).join(", "));
  }
  return known.get(node);
}

const LATEST = "order by last_published_at desc, id desc limit $1";
const storyBySlug = (wanted) => `select ${wanted} from stories where slug = $1 and article_count > 0`;
const outletBySlug = (wanted) => `select ${wanted} from outlets where slug = $1`;
const latest = (wanted) => `select ${wanted} from stories where article_count > 0 ${LATEST}`;
const latestWithBlindspot = (wanted) =>
  `select ${wanted} from stories where article_count > 0 and blindspot = $2 ${LATEST}`;
const byId = (table) => (wanted) => `select ${wanted} from ${table} where id = any($1::bigint[])`;
const newest = (parent) => (wanted) => `
  select a.* from unnest($1::bigint[], $2::integer[]) wanted (id, first) cross join lateral (
    select ${wanted} from articles where ${parent} = wanted.id order by published_at desc, id desc limit wanted.first
  ) a`;
const TOPICS = `select p.story_id as "storyId", t.slug from story_topics p join topics t on t.id = p.topic_id
  where p.story_id = any($1::bigint[]) order by p.position`;

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

const names = new Map();

/** The rows of a statement, which each connection prepares once. */
async function rows(text, ...values) {
  if (!names.has(text)) {
    names.set(text, `s${names.size}`);
  }
  return (await pool.query({ name: names.get(text), text, values })).rows;
}

/** Each place of an operation that asks is loaded by itself, since each may ask for other columns. */
async function bySelection(queries, load) {
  const answers = new Map();
  await Promise.all(
    [...Map.groupBy(queries, ({ info }) => info.fieldNodes[0]).values()].map(async (group) => {
      const loaded = await load(group);
      group.forEach((query, index) => answers.set(query, loaded[index]));
    }),
  );
  return queries.map((query) => answers.get(query));
}

/** A loader of one row for each parent, by the id that the parent holds. */
const one = (statement, key) => (queries) =>
  bySelection(queries, async (group) => {
    const ids = [...new Set(group.map(({ obj }) => obj[key]))];
    const found = new Map((await rows(statement(columns(group[0].info, "id")), ids)).map((row) => [row.id, row]));
    return group.map(({ obj }) => found.get(obj[key]));
  });

/** A loader of the newest articles of each parent, which `parent` of an article tells. */
const page = (statement, key, parent) => (queries) =>
  bySelection(queries, async (group) => {
    const ids = group.map(({ obj }) => obj.id);
    const firsts = group.map(({ params }) => params.first);
    const wanted = columns(group[0].info, "id", parent);
    const found = Map.groupBy(await rows(statement(wanted), ids, firsts), (row) => row[key]);
    return group.map(({ obj }) => found.get(obj.id) ?? []);
  });

async function topics(queries) {
  const found = Map.groupBy(await rows(TOPICS, queries.map(({ obj }) => obj.id)), (row) => row.storyId);
  return queries.map(({ obj }) => found.get(obj.id) ?? []);
}

// Without the loaders' own cache, whose keys are the parents as JSON; each batch asks once for what it needs.
const uncached = (loader) => ({ loader, opts: { cache: false } });

const app = fastify();
app.register(mercurius, {
  schema: SCHEMA,
  resolvers: {
    Query: {
      story: async (_, { slug }, __, info) => (await rows(storyBySlug(columns(info, "id")), slug))[0],
      stories: (_, { first, blindspot }, __, info) =>
        blindspot
          ? rows(latestWithBlindspot(columns(info, "id")), first, blindspot)
          : rows(latest(columns(info, "id")), first),
      outlet: async (_, { slug }, __, info) => (await rows(outletBySlug(columns(info, "id")), slug))[0],
    },
  },
  loaders: {
    Story: { articles: uncached(page(newest("story_id"), "storyId", "story")), topics: uncached(topics) },
    Outlet: { articles: uncached(page(newest("outlet_id"), "outletId", "outlet")) },
    Article: { outlet: uncached(one(byId("outlets"), "outletId")), story: uncached(one(byId("stories"), "storyId")) },
  },
  jit: 1,
  // An error of GraphQL is an error of HTTP, so that none is counted as an answer.
  errorFormatter: (execution, context) => ({ ...mercurius.defaultErrorFormatter(execution, context), statusCode: 500 }),
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PARALLAX_PORT) });
process.on("SIGTERM", () => process.exit(0));
