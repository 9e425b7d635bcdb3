-- What a load is read into: tables of its session alone, which end with it however it ends.

-- name: create_tables
-- One line a row, in the order of the load; `fields` holds what the line gives and nothing else.
create temp table staged_topics (line bigint not null, key text not null, fields jsonb not null);
create temp table staged_places (like staged_topics);
create temp table staged_outlets (like staged_topics);
create temp table staged_stories (like staged_topics);
create temp table staged_articles (like staged_topics);
-- Merges and removes.
create temp table staged_fates (like staged_topics);

-- Lines of one key in their order, as one: what a later one gives wins, a null too.
create aggregate pg_temp.folded(jsonb) (sfunc = jsonb_concat, stype = jsonb);

-- name: analyze_tables
-- No autovacuum looks at temporary tables, so nobody else tells the planner how large they are.
analyze staged_topics, staged_places, staged_outlets, staged_stories, staged_articles, staged_fates;
