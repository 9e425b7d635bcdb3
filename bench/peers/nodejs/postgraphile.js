// PostGraphile over the tables as they are, on Node's own HTTP server.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
import { TYPES } from "postgraphile/@dataplan/pg";
import { postgraphile } from "postgraphile";
import { extendSchema, gql, jsonPgSmartTags } from "postgraphile/utils";

// What tables cannot say: that feeds leave out stories without articles, as the indexes do, and a difference of columns.
const feeds = extendSchema((build) => {
  const { sql, input: { pgRegistry } } = build;
  const { stories } = pgRegistry.pgResources;
  const latest = (blindspot) => (_, { $first }) => {
    const $stories = stories.find();
    $stories.where(sql`${$stories}.article_count > 0`);
    if (blindspot) {
      $stories.where(sql`${$stories}.blindspot = ${sql.literal(blindspot)}`);
    }
    $stories.orderBy({ attribute: "last_published_at", direction: "DESC" });
    $stories.orderBy({ attribute: "id", direction: "DESC" });
    $stories.setFirst($first);
    return $stories;
  };
  return {
    typeDefs: gql`
      extend type Query {
        latestStories(first: Int!): [Story!]
        latestStoriesLeftUnseen(first: Int!): [Story!]
      }
      extend type Story {
        unratedCount: Int!
      }
    `,
    objects: {
      Query: { plans: { latestStories: latest(), latestStoriesLeftUnseen: latest("LEFT") } },
      Story: {
        plans: {
          unratedCount($story) {
            return $story.select(sql`(${$story}.outlet_count - ${$story}.rated_count)`, TYPES.int);
          },
        },
      },
    },
  };
});

// Only indexed columns are offered for ordering otherwise, and the position of a story's few topics is not.
const orders = jsonPgSmartTags({
  version: 1,
  config: { attribute: { "story_topics.position": { tags: { behavior: "orderBy" } } } },
});

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [feeds, orders],
  grafast: { explain: false },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  pgServices: [
    makePgService({
      connectionString: process.env.PARALLAX_DATABASE_URL,
      schemas: ["public"],
      poolConfig: { min: 16, max: 16, options: "-c timezone=UTC -c jit=off" },
    }),
  ],
};

const service = postgraphile(preset).createServ(grafserv);
const server = createServer();
await service.addTo(server);
server.listen(Number(process.env.PARALLAX_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
