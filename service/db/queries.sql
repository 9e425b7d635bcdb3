-- The statements that are always the same. Each begins with its name, its purpose and the index that it relies on.

-- name: service_facts
-- What `service` tells of the data. Figures that writers keep (outlets.article_count) and two indexes answer it:
-- stories_latest, whose condition is that of a story that is shown, and articles_published.
select
    (select count(*) from stories where article_count > 0) as story_count,
    (select coalesce(sum(article_count), 0) from outlets)::bigint as article_count,
    (select count(*) from outlets) as outlet_count,
    (select max(published_at) from articles) as data_through;

-- name: ping
-- Whether Postgres answers.
select 1;
