-- What is written, a batch at a time, each in one transaction. Every statement writes only what differs, and all figures
-- follow by triggers, so statements are few and large. $1 and $2 are the first and last place of the batch.

-- name: create_batches
create temp table batch_stories (
    id bigint not null, created boolean not null, fields jsonb not null
) on commit delete rows;

create temp table batch_fates (
    id bigint not null, root bigint not null, merging boolean not null, gone boolean not null, dropping boolean not null
) on commit delete rows;

create temp table batch_articles (
    line bigint, id bigint, story_id bigint, outlet_id bigint, settled boolean not null, gone boolean not null,
    removed boolean not null, fields jsonb not null, url text not null, title text, published_at timestamptz, excerpt text,
    authors text[], kind article_kind, language text, image_url text, paywalled boolean
) on commit delete rows;

-- name: count_work
select (select count(*) from net_outlets) as outlets,
    (select coalesce(max(place), 0) from net_stories) as stories,
    (select coalesce(max(place), 0) from net_fates) as fates,
    (select coalesce(max(place), 0) from net_articles) as articles;

-- name: lock_loads
-- One load at a time writes a batch, so that loads of the same stories neither deadlock nor write from what is outdated.
select pg_advisory_xact_lock($1);

-- name: insert_topics
with inserted as (
    insert into topics (slug, name)
    select key, coalesce(fields ->> 'name', key) from net_topics order by key
    on conflict (slug) do nothing
    returning slug
)
select slug as key from inserted i join net_topics n on n.key = i.slug where n.given;

-- name: update_topics
update topics t
set name = coalesce(n.fields ->> 'name', t.name),
    parent_id = case when n.fields ? 'parent' then p.id else t.parent_id end
from net_topics n
left join topics p on p.slug = n.fields ->> 'parent'
where t.slug = n.key
    and (t.name, t.parent_id)
        is distinct from (coalesce(n.fields ->> 'name', t.name), case when n.fields ? 'parent' then p.id else t.parent_id end)
returning t.slug as key;

-- name: insert_places
with inserted as (
    insert into places (slug, name, country)
    select key, coalesce(fields ->> 'name', key), fields ->> 'country' from net_places order by key
    on conflict (slug) do nothing
    returning slug
)
select slug as key from inserted i join net_places n on n.key = i.slug where n.given;

-- name: update_places
update places p
set name = coalesce(n.fields ->> 'name', p.name),
    country = case when n.fields ? 'country' then n.fields ->> 'country' else p.country end
from net_places n
where p.slug = n.key
    and (p.name, p.country) is distinct from
        (coalesce(n.fields ->> 'name', p.name), case when n.fields ? 'country' then n.fields ->> 'country' else p.country end)
returning p.slug as key;

-- name: insert_outlets
with fresh as (
    select n.key, n.line, coalesce(n.fields ->> 'name', n.key) as name, replace(n.key, '.', '-') as slug, n.place
    from net_outlets n
    where n.place between $1 and $2 and not exists (select from outlets o where o.domain = n.key)
),
inserted as (
    insert into outlets (domain, name, slug)
    select f.key, f.name,
        case
            when row_number() over (partition by f.slug order by f.place) > 1 or exists (select from outlets o where o.slug = f.slug)
                then f.slug || '-' || substr(md5(f.key), 1, 6)
            else f.slug
        end
    from fresh f
    order by f.place
    on conflict do nothing
    returning domain
)
select i.domain as key from inserted i join fresh f on f.key = i.domain where f.line is not null;

-- name: update_outlets
update outlets o
set name = f.name, homepage_url = f.homepage_url, country = f.country, place_id = f.place_id, language = f.language, medium = f.medium
from (
    select o.id, coalesce(n.fields ->> 'name', o.name) as name,
        case when n.fields ? 'homepageUrl' then n.fields ->> 'homepageUrl' else o.homepage_url end as homepage_url,
        case when n.fields ? 'country' then n.fields ->> 'country' else o.country end as country,
        case when n.fields ? 'place' then p.id else o.place_id end as place_id,
        case when n.fields ? 'language' then n.fields ->> 'language' else o.language end as language,
        case when n.fields ? 'medium' then (n.fields ->> 'medium')::medium else o.medium end as medium
    from net_outlets n
    join outlets o on o.domain = n.key
    left join places p on p.slug = n.fields ->> 'place'
    where n.place between $1 and $2 and n.line is not null
) f
where o.id = f.id
    and (o.name, o.homepage_url, o.country, o.place_id, o.language, o.medium)
        is distinct from (f.name, f.homepage_url, f.country, f.place_id, f.language, f.medium)
returning o.domain as key;

-- name: delete_ratings
-- A null clears all of an outlet's ratings, but for those that a later line gives.
delete from ratings r
using outlets o, net_outlets n
where n.place between $1 and $2 and n.cleared is not null and o.domain = n.key and r.outlet_id = o.id
    and not exists (select from net_ratings w where w.domain = n.key and w.agency = r.agency)
returning o.domain as key;

-- name: write_ratings
with written as (
    insert into ratings as r (outlet_id, agency, bias, factuality, rated_at, url)
    select o.id, w.agency, w.bias, w.factuality, w.rated_at, w.url
    from net_outlets n
    join outlets o on o.domain = n.key
    join net_ratings w on w.domain = n.key
    where n.place between $1 and $2
    order by o.id, w.agency
    on conflict (outlet_id, agency) do update
    set bias = excluded.bias, factuality = excluded.factuality, rated_at = excluded.rated_at, url = excluded.url
    where (r.bias, r.factuality, r.rated_at, r.url)
        is distinct from (excluded.bias, excluded.factuality, excluded.rated_at, excluded.url)
    returning outlet_id
)
select distinct o.domain as key from written w join outlets o on o.id = w.outlet_id;

-- name: delete_owners
delete from owners w
using outlets o, net_outlets n
where n.place between $1 and $2 and n.fields ? 'owners' and o.domain = n.key and w.outlet_id = o.id
    and w.position > jsonb_array_length(n.fields -> 'owners')
returning o.domain as key;

-- name: write_owners
with written as (
    insert into owners as w (outlet_id, position, name, category)
    select o.id, e.position, e.owner ->> 'name', (e.owner ->> 'category')::ownership_category
    from net_outlets n
    join outlets o on o.domain = n.key
    cross join jsonb_array_elements(n.fields -> 'owners') with ordinality e (owner, position)
    where n.place between $1 and $2
    order by o.id, e.position
    on conflict (outlet_id, position) do update set name = excluded.name, category = excluded.category
    where (w.name, w.category) is distinct from (excluded.name, excluded.category)
    returning outlet_id
)
select distinct o.domain as key from written w join outlets o on o.id = w.outlet_id;

-- name: insert_stories
with fresh as (
    select n.key, n.fields, n.place, n.made
    from net_stories n
    where n.place between $1 and $2
        and not exists (select from stories s where url_digest(s.key) = url_digest(n.key))
),
inserted as (
    insert into stories (key, slug, title, summary, key_points, image_url)
    select f.key,
        case
            when row_number() over (partition by f.fields ->> 'slug' order by f.place) > 1
                or exists (select from stories s where s.slug = f.fields ->> 'slug')
                then (f.fields ->> 'slug') || '-' || substr(md5(f.key), 1, 8)
            else f.fields ->> 'slug'
        end,
        r.title, r.summary, coalesce(r."keyPoints", '{}'), r."imageUrl"
    from fresh f
    cross join jsonb_to_record(f.fields) as r (title text, summary text, "keyPoints" text[], "imageUrl" text)
    order by f.place
    on conflict do nothing
    returning id, key
)
insert into batch_stories (id, created, fields)
select i.id, not f.made, f.fields from inserted i join fresh f on f.key = i.key;

-- name: match_stories
-- Stories of the batch that are there already. One that another load has merged since is left alone, and so is one that
-- an article made, but for one that was removed.
insert into batch_stories (id, created, fields)
select s.id, false, n.fields
from net_stories n
join stories s on url_digest(s.key) = url_digest(n.key)
where n.place between $1 and $2 and n.whole and s.merged_into is null and (not n.made or s.removed)
    and s.id not in (select id from batch_stories);

-- name: count_created_stories
select id as key from batch_stories where created;

-- name: update_stories
update stories s
set title = f.title, summary = f.summary, key_points = f.key_points, image_url = f.image_url, removed = false
from (
    select s.id, b.fields ->> 'title' as title,
        case when b.fields ? 'summary' then b.fields ->> 'summary' else s.summary end as summary,
        coalesce(r."keyPoints", s.key_points) as key_points,
        case when b.fields ? 'imageUrl' then b.fields ->> 'imageUrl' else s.image_url end as image_url
    from batch_stories b
    join stories s on s.id = b.id
    cross join jsonb_to_record(b.fields) as r ("keyPoints" text[])
) f
where s.id = f.id
    and (s.title, s.summary, s.key_points, s.image_url, s.removed)
        is distinct from (f.title, f.summary, f.key_points, f.image_url, false)
returning s.id as key;

-- name: delete_perspectives
delete from perspectives p
using batch_stories b
where b.fields ? 'perspectives' and p.story_id = b.id and not b.fields -> 'perspectives' ? p.side::text
returning p.story_id as key;

-- name: write_perspectives
insert into perspectives as p (story_id, side, summary)
select b.id, e.side::side, e.summary
from batch_stories b
cross join jsonb_each_text(b.fields -> 'perspectives') e (side, summary)
order by b.id, e.side
on conflict (story_id, side) do update set summary = excluded.summary where p.summary <> excluded.summary
returning p.story_id as key;

-- name: delete_story_topics
delete from story_topics st
using batch_stories b, topics t
where b.fields ? 'topics' and st.story_id = b.id and t.id = st.topic_id and not b.fields -> 'topics' ? t.slug
returning st.story_id as key;

-- name: write_story_topics
insert into story_topics as st (story_id, topic_id, position)
select b.id, t.id, e.position
from batch_stories b
cross join jsonb_array_elements_text(b.fields -> 'topics') with ordinality e (slug, position)
join topics t on t.slug = e.slug
order by b.id, t.id
on conflict (story_id, topic_id) do update set position = excluded.position where st.position <> excluded.position
returning st.story_id as key;

-- name: delete_story_places
delete from story_places sp
using batch_stories b, places p
where b.fields ? 'places' and sp.story_id = b.id and p.id = sp.place_id and not b.fields -> 'places' ? p.slug
returning sp.story_id as key;

-- name: write_story_places
insert into story_places as sp (story_id, place_id, position)
select b.id, p.id, e.position
from batch_stories b
cross join jsonb_array_elements_text(b.fields -> 'places') with ordinality e (slug, position)
join places p on p.slug = e.slug
order by b.id, p.id
on conflict (story_id, place_id) do update set position = excluded.position where sp.position <> excluded.position
returning sp.story_id as key;

-- name: name_stories
-- What was written has an id now, or has one that another load gave it.
update story_nodes n set id = s.id from stories s where n.id is null and url_digest(s.key) = url_digest(n.key);

-- name: match_fates
-- Merges and removes of the batch, but for stories that another load has merged or removed since.
insert into batch_fates (id, root, merging, gone, dropping)
select s.id, r.id, n.merging, n.gone, n.dropping
from net_fates f
join story_nodes n on n.n = f.n
join story_nodes o on o.n = coalesce(n.root, n.n)
join stories s on s.id = n.id
join stories t on t.id = o.id
join stories r on r.id = coalesce(t.merged_into, t.id)
where f.place between $1 and $2 and s.merged_into is null and not s.removed
    and (n.dropping or (r.id <> s.id and (not r.removed or n.gone)));

-- name: merge_stories
update stories s set merged_into = f.root from batch_fates f where s.id = f.id and f.merging
returning s.id as key;

-- name: move_articles
update articles a set story_id = f.root from batch_fates f where a.story_id = f.id and f.merging and not f.gone;

-- name: delete_story_articles
delete from articles a using batch_fates f where a.story_id = f.id and f.gone;

-- name: remove_stories
-- Loaded again, a story has its old id and slug, and nothing else of what it was.
update stories s
set removed = true, summary = null, key_points = '{}', image_url = null
from batch_fates f
where s.id = f.id and f.dropping
returning s.id as key;

-- name: remove_perspectives
delete from perspectives p using batch_fates f where p.story_id = f.id and f.dropping;

-- name: remove_story_topics
delete from story_topics t using batch_fates f where t.story_id = f.id and f.dropping;

-- name: remove_story_places
delete from story_places p using batch_fates f where p.story_id = f.id and f.dropping;

-- name: match_articles
insert into batch_articles
select a.line, stored.id, case when not r.removed then r.id end, o.id, a.settled, a.gone, a.removed, a.fields, a.url,
    f.title, f."publishedAt", f.excerpt, f.authors, f.kind, f.language, f."imageUrl", f.paywalled
from net_articles a
cross join jsonb_to_record(a.fields) as f (
    outlet text, title text, "publishedAt" timestamptz, excerpt text, authors text[], kind article_kind, language text,
    "imageUrl" text, paywalled boolean
)
left join articles stored on url_digest(stored.url) = url_digest(a.url)
left join outlets o on o.domain = f.outlet
left join story_nodes n on n.key = a.story
left join story_nodes root on root.n = coalesce(n.root, n.n)
left join stories s on s.id = root.id
left join stories r on r.id = coalesce(s.merged_into, s.id)
where a.place between $1 and $2;

-- name: delete_articles
-- Returns for each whether a line of its own removes it, or the end of its story.
delete from articles a using batch_articles b where b.gone and a.id = b.id returning b.removed;

-- name: insert_articles
insert into articles (outlet_id, story_id, published_at, kind, paywalled, language, url, title, excerpt, authors, image_url)
select outlet_id, story_id, published_at, coalesce(kind, 'NEWS'), paywalled, language, url, title, excerpt,
    coalesce(authors, '{}'), image_url
from batch_articles
where id is null and not gone and story_id is not null and outlet_id is not null
order by story_id, line
returning id;

-- name: update_articles
update articles a
set outlet_id = f.outlet_id, story_id = f.story_id, published_at = f.published_at, kind = f.kind, paywalled = f.paywalled,
    language = f.language, title = f.title, excerpt = f.excerpt, authors = f.authors, image_url = f.image_url
from (
    select a.id, b.outlet_id, b.published_at, b.title,
        case when b.settled then b.story_id else a.story_id end as story_id,
        coalesce(b.kind, a.kind) as kind,
        case when b.fields ? 'paywalled' then b.paywalled else a.paywalled end as paywalled,
        case when b.fields ? 'language' then b.language else a.language end as language,
        case when b.fields ? 'excerpt' then b.excerpt else a.excerpt end as excerpt,
        coalesce(b.authors, a.authors) as authors,
        case when b.fields ? 'imageUrl' then b.image_url else a.image_url end as image_url
    from batch_articles b
    join articles a on a.id = b.id
    where not b.gone and b.outlet_id is not null and (b.story_id is not null or not b.settled)
) f
where a.id = f.id
    and (a.outlet_id, a.story_id, a.published_at, a.kind, a.paywalled, a.language, a.title, a.excerpt, a.authors, a.image_url)
        is distinct from
        (f.outlet_id, f.story_id, f.published_at, f.kind, f.paywalled, f.language, f.title, f.excerpt, f.authors, f.image_url)
returning a.id;

-- name: refuse_overtaken
-- Articles whose story another load has removed since this one looked.
select line from batch_articles
where not gone and (outlet_id is null or (story_id is null and (settled or id is null)))
order by line;
