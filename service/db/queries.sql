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

-- name: changes_since
-- What has changed since a look at the feed: changes_xid and the key of reference_changes find it.
select identity, head, pending, coalesce(lost, false) as lost, xids, stories, reference_xid, snapshot::text as snapshot,
    pg_snapshot_xmax(snapshot)::text::bigint as horizon
from changes_since($1::text::pg_snapshot, $2);

-- name: forget_changes
-- Forgets changes from before a time, at most so many: changes_xid finds the oldest.
select forget_changes($1, $2);
