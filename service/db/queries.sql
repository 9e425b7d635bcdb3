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
-- What has changed since a look at the feed: changes_xid and the key of reference_changes find it. Also how far the log
-- is written for replicas, which is read after the snapshot is taken and so covers what this sees, and on which timeline.
select identity, head, pending, coalesce(lost, false) as lost, xids, stories, reference_xid, snapshot::text as snapshot,
    pg_snapshot_xmax(snapshot)::text::bigint as horizon,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end as written,
    case when pg_is_in_recovery() then (select min_recovery_end_timeline from pg_control_recovery())
        else ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::integer end as timeline
from changes_since($1::text::pg_snapshot, $2);

-- name: replica_state
-- Whether this is a replica, of which database, how far it has replayed the log, and which timeline it is known to be on:
-- the one that it receives, where the user may see that (pg_monitor), else the one of its last restart point.
select pg_is_in_recovery() as follows, database_identity() as identity, pg_last_wal_replay_lsn() as replayed,
    case when pg_is_in_recovery() then greatest(
        (select received_tli from pg_stat_wal_receiver), (select min_recovery_end_timeline from pg_control_recovery())
    ) else ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::integer end as timeline;

-- name: forget_changes
-- Forgets changes from before a time, at most so many: changes_xid finds the oldest.
select forget_changes($1, $2);

-- name: access_generation
-- Whether keys or tiers have changed: one row.
select generation from access_generation;

-- name: access_tiers
-- All tiers, which are few, as of a generation.
select generation, (select json_agg(t) from tiers t)::text as tiers from access_generation;

-- name: access_key
-- The key with that digest (api_keys_digest_key), or nulls, as of a generation.
select g.generation, k.id, k.prefix, k.name, k.tier, k.created_at, k.not_before, k.expires_at, k.revoked_at,
    k.origins, k.networks::text[] as networks
from access_generation g left join api_keys k on k.digest = $1;

-- name: key_last_used
-- When a key was last used (api_keys_pkey).
select last_used_at from api_keys where id = $1;

-- name: usage_days
-- What a key spent on each day after one (usage_days_pkey), as columns.
select coalesce(array_agg(day), '{}'), coalesce(array_agg(request_count), '{}'), coalesce(array_agg(cost), '{}')
from usage_days where key_id = $1 and day > $2;

-- name: write_usage
-- Adds a batch of what keys have spent, once, however often it is sent: the batch's id, when it ended, and columns.
with batch as (
    insert into usage_batches (id) values ($1) on conflict do nothing returning id
), given as (
    select g.* from unnest($3::bigint[], $4::date[], $5::bigint[], $6::bigint[]) g (key_id, day, request_count, cost)
    join api_keys k on k.id = g.key_id where exists (select from batch)
), forgotten as (
    delete from usage_batches where at < now() - interval '1 day'
), used as (
    -- In one order for all processes, so that none waits for another in a circle.
    update api_keys k set last_used_at = greatest(k.last_used_at, $2)
    from (select id from api_keys where id in (select key_id from given) order by id for no key update) l
    where k.id = l.id
)
insert into usage_days as u select * from given order by key_id, day
on conflict (key_id, day) do update
set request_count = u.request_count + excluded.request_count, cost = u.cost + excluded.cost;
