-- What a load comes to: which of its lines name what is not there, what all lines of one key make together, and what
-- merges and removes leave of them. Reads the database and writes to the session's own tables.

-- name: refuse_circles
-- The line that closes a circle of parents: of the lines whose parents make up the circle, the last.
-- A line refused gives way to an earlier one of its topic, which may close another circle: run until none is refused.
with recursive given as (
    select key as slug, max(line) filter (where fields ? 'parent') as line, pg_temp.folded(fields) ->> 'parent' as parent
    from (select * from staged_topics order by key, line) t
    group by key
),
parents as (
    select slug, parent, line from given where parent is not null
    union all
    select t.slug, p.slug, null
    from topics t
    join topics p on p.id = t.parent_id
    where not exists (select from given g where g.slug = t.slug and g.line is not null)
),
above (slug, ancestor) as (
    select slug, parent from parents where line is not null
    union
    select a.slug, p.parent from above a join parents p on p.slug = a.ancestor
),
circles as (
    select slug, min(ancestor) as circle
    from above a
    where exists (select from above self where self.slug = a.slug and self.ancestor = a.slug)
    group by slug
),
closing as (
    select max(p.line) as line from circles c join parents p on p.slug = c.slug group by c.circle
)
delete from staged_topics t using closing c
where t.line = c.line
returning t.line, t.key;

-- name: create_nodes
-- Every story key that the load names, with what is stored of it. A node without a parent stands for itself.
create temp table story_nodes (
    n integer generated always as identity primary key,
    key text not null,
    id bigint,
    -- A line of this load says what it is, or an article makes it.
    loaded boolean not null default false,
    -- What it is merged into, now or by this load.
    parent integer,
    merging boolean not null default false,
    -- It is not there; `dropping`: because of this load.
    removed boolean not null default false,
    dropping boolean not null default false,
    -- Where its articles end up; `gone`: nowhere.
    root integer,
    gone boolean not null default false,
    -- It is new and shows nothing of itself, but other keys or later articles need it.
    bare boolean not null default false
);
create index story_nodes_key on story_nodes using hash (key);
create index story_nodes_id on story_nodes (id);
create index story_nodes_parent on story_nodes (parent) where parent is not null;

insert into story_nodes (key, id, loaded, removed)
select m.key, s.id, m.loaded, coalesce(s.removed, false) and not m.loaded
from (
    select key, bool_or(loaded) as loaded
    from (
        select key, true as loaded from staged_stories
        union all
        select distinct fields ->> 'story', false from staged_articles
        union all
        select unnest(array[fields ->> 'from', fields ->> 'into', fields ->> 'story']), false from staged_fates
    ) k
    where key is not null
    group by key
) m
left join stories s on url_digest(s.key) = url_digest(m.key);
analyze story_nodes;

-- name: add_roots
-- What stored merges made of the nodes. Run after every addition of nodes.
insert into story_nodes (key, id, removed)
select distinct r.key, r.id, r.removed
from story_nodes n
join stories s on s.id = n.id
join stories r on r.id = s.merged_into
where not exists (select from story_nodes known where known.id = r.id);

update story_nodes n
set parent = r.n, removed = false
from stories s
join story_nodes r on r.id = s.merged_into
where s.id = n.id and s.merged_into is not null and n.parent is null;

-- name: name_own_stories
-- Keys of stories that articles of this load make for themselves, where other lines name them.
update story_nodes n
set loaded = true, removed = false
from staged_articles a
where n.key like 'url:%'
    and n.key = 'url:' || a.key
    and n.parent is null
    and a.fields ->> 'story' is null
    and (a.fields ? 'story' or not exists (select from articles stored where url_digest(stored.url) = url_digest(a.key)));

-- name: refuse_unknown_stories
-- Articles whose story is neither in the database nor in the load.
with refused as (
    delete from staged_articles a
    using story_nodes n
    left join story_nodes r on r.n = n.parent
    where n.key = a.fields ->> 'story'
        and (coalesce(r.removed, n.removed) or not (coalesce(r.loaded, n.loaded) or coalesce(r.id, n.id) is not null))
    returning a.line, a.key, a.fields ->> 'story' as story
)
select line, key, story from refused order by line;

-- name: fold_articles
-- All lines of an article as one, a story's articles side by side. `story` is null where a stored one keeps its own;
-- `settled` tells that a line names the story, so that a stored article moves.
create temp table net_articles as
select f.url, f.line, f.fields, f.story, f.settled, false as gone, false as removed,
    row_number() over (order by f.story, f.line) as place
from (
    select f.key as url, f.line, f.fields, f.fields ? 'story' as settled,
        case
            when f.fields ->> 'story' is not null then f.fields ->> 'story'
            when f.fields ? 'story' then 'url:' || f.key
            when not exists (select from articles a where url_digest(a.url) = url_digest(f.key)) then 'url:' || f.key
        end as story
    from (
        select key, max(line) as line, pg_temp.folded(fields) as fields
        from (select * from staged_articles order by key, line) s
        group by key
    ) f
) f;
drop table staged_articles;
create index net_articles_place on net_articles (place);
create index net_articles_url on net_articles using hash (url);
analyze net_articles;

-- name: add_own_stories
-- Stories that articles make for themselves.
insert into story_nodes (key, id, loaded)
select a.story, s.id, true
from net_articles a
left join stories s on url_digest(s.key) = url_digest(a.story)
where a.story = 'url:' || a.url
    and not exists (select from story_nodes n where n.key = a.story);
analyze story_nodes;

-- name: create_settling
create function pg_temp.root_of(node integer) returns story_nodes
    language plpgsql as
$$
declare
    above integer := node;
    reached story_nodes;
begin
    loop
        select * into reached from story_nodes where n = above;
        exit when reached.parent is null;
        -- The way that was gone once is not gone again: a root that has been merged since leads on.
        above := coalesce(reached.root, reached.parent);
    end loop;
    update story_nodes set root = reached.n where n = node and parent <> reached.n and root is distinct from reached.n;
    return reached;
end;
$$;

-- Goes through merges and removes in their order, and tells those that cannot be.
create function pg_temp.settle_fates() returns table (line bigint, field text, reason text)
    language plpgsql as
$$
declare
    fate record;
    source story_nodes;
    target story_nodes;
begin
    for fate in
        select f.line, b.n is not null as merges, a.n as source, b.n as target
        from staged_fates f
        join story_nodes a on a.key = coalesce(f.fields ->> 'from', f.fields ->> 'story')
        left join story_nodes b on b.key = f.fields ->> 'into'
        order by f.line
    loop
        source := pg_temp.root_of(fate.source);
        if not fate.merges then
            if source.n = fate.source and not source.removed and (source.loaded or source.id is not null) then
                update story_nodes set removed = true, dropping = true where n = source.n;
            end if;
            continue;
        end if;
        target := pg_temp.root_of(fate.target);
        line := fate.line;
        if not (source.loaded or source.id is not null) then
            field := 'from'; reason := 'no such story was ever loaded'; return next;
        elsif not (target.loaded or target.id is not null) then
            field := 'into'; reason := 'no such story was ever loaded'; return next;
        elsif source.n = target.n then
            continue;
        elsif source.removed then
            field := 'from'; reason := 'the story was removed'; return next;
        elsif target.removed then
            field := 'into'; reason := 'the story was removed'; return next;
        else
            update story_nodes set parent = target.n, merging = true where n = source.n;
        end if;
    end loop;
end;
$$;

-- name: settle_fates
select r.line, r.field, r.reason, f.fields ->> 'from' as "from", f.fields ->> 'into' as "into"
from pg_temp.settle_fates() r
join staged_fates f on f.line = r.line
order by r.line;

-- name: settle_nodes
-- Where every node's articles end up, and which new nodes are written only because others need them: what was merged
-- into something that is written, and what was removed after a stored story had been merged into it.
with recursive settled (n, root, gone) as (
    select n, n, dropping from story_nodes
    where parent is null and (dropping or n in (select parent from story_nodes where parent is not null))
    union all
    select c.n, s.root, s.gone or c.dropping from settled s join story_nodes c on c.parent = s.n
)
update story_nodes k set root = s.root, gone = s.gone from settled s where s.n = k.n and (k.parent is not null or s.gone);

update story_nodes r
set bare = true
where r.id is null and r.dropping and r.parent is null
    and r.n in (select root from story_nodes where merging and id is not null);

update story_nodes c
set bare = true
from story_nodes r
where c.id is null and c.merging and r.n = c.root and (r.id is not null or r.bare or not r.removed);

-- name: create_net_fates
-- Stories that this load merges or removes.
create temp table net_fates as
select n, row_number() over (order by n) as place
from story_nodes
where (merging or (dropping and parent is null)) and (id is not null or bare);

-- name: settle_articles
-- Articles that merges and removes concern. One that is moved out of a story which this load merges or removes goes with
-- that story's fate, in one transaction: `place` is then that of the fate, negated.
insert into net_articles (url, fields, settled, gone, removed, place)
select f.url, '{}'::jsonb, false, false, false, (select coalesce(max(place), 0) from net_articles) + row_number() over ()
from (select distinct fields ->> 'article' as url from staged_fates) f
where f.url is not null and not exists (select from net_articles a where a.url = f.url);

update net_articles a
set gone = true, removed = true
from staged_fates f
where f.fields ->> 'article' = a.url;

update net_articles a
set gone = true
from story_nodes n
where n.key = a.story and n.gone and not a.gone;

update net_articles a
set gone = true
from articles stored, story_nodes n
where a.story is null and not a.gone
    and url_digest(stored.url) = url_digest(a.url)
    and n.id = stored.story_id and n.gone;

update net_articles a
set place = -f.place
from articles stored, story_nodes n, net_fates f, story_nodes target
where a.settled and not a.gone
    and url_digest(stored.url) = url_digest(a.url)
    and n.id = stored.story_id
    and f.n = n.n
    and target.key = a.story
    and (n.gone or coalesce(target.root, target.n) <> n.root);

-- name: fold_stories
-- All lines of a story as one, and stories that articles make. `whole`: all that its lines say; else its title only.
-- A key that ends up merged or removed is not written, unless others need it.
create temp table net_stories as
select n.n, n.key, f.line, n.whole, f.made,
    case when n.whole and not f.made then f.fields
        else jsonb_build_object('title', f.fields -> 'title', 'slug', f.fields -> 'slug') end as fields,
    row_number() over (order by f.line) as place
from (select *, parent is null and not removed as whole from story_nodes) n
join (
    select key, max(line) as line, pg_temp.folded(fields) as fields, false as made
    from (select * from staged_stories order by key, line) s
    group by key
    union all
    select needed.story, a.line, a.fields, true
    from (select distinct story from net_articles where story like 'url:%' and not gone) needed
    join net_articles a on 'url:' || a.url = needed.story
    where a.fields ? 'slug'
        and not exists (select from staged_stories s where s.key = 'url:' || a.url)
) f on f.key = n.key
where n.loaded and (n.whole or n.bare);
create index net_stories_place on net_stories (place);
analyze net_stories;

-- name: fold_topics
-- Topics: those of lines, and those that are named by what is written and may not be there yet.
create temp table net_topics as
select key, bool_or(line is not null) as given, coalesce(pg_temp.folded(fields), '{}') as fields
from (
    select key, line, fields from staged_topics
    union all
    select fields ->> 'parent', null, null from staged_topics where fields ->> 'parent' is not null
    union all
    select distinct jsonb_array_elements_text(fields -> 'topics'), null::bigint, null::jsonb from net_stories where fields ? 'topics'
    order by key, line
) t
group by key;

-- name: fold_references
-- Likewise places and outlets.
create temp table net_outlets as
select key, max(line) as line, coalesce(pg_temp.folded(fields), '{}') as fields,
    max(line) filter (where fields -> 'ratings' = 'null') as cleared,
    row_number() over (order by max(line), key) as place
from (
    select key, line, fields from staged_outlets
    union all
    select distinct fields ->> 'outlet', null::bigint, null::jsonb from net_articles where not gone
    order by key, line
) o
group by key;
create index net_outlets_place on net_outlets (place);

create temp table net_ratings as
select distinct on (s.key, r.agency) s.key as domain, r.agency, r.bias, r.factuality, r."ratedAt" as rated_at, r.url
from staged_outlets s
join net_outlets n on n.key = s.key
cross join jsonb_to_recordset(case when jsonb_typeof(s.fields -> 'ratings') = 'array' then s.fields -> 'ratings' else '[]' end)
    as r (agency text, bias bias, factuality factuality, "ratedAt" timestamptz, url text)
where n.cleared is null or s.line > n.cleared
order by s.key, r.agency, s.line desc;
create index net_ratings_domain on net_ratings (domain);

create temp table net_places as
select key, bool_or(line is not null) as given, coalesce(pg_temp.folded(fields), '{}') as fields
from (
    select key, line, fields from staged_places
    union all
    select fields ->> 'place', null, null from net_outlets where fields ->> 'place' is not null
    union all
    select distinct jsonb_array_elements_text(fields -> 'places'), null::bigint, null::jsonb from net_stories where fields ? 'places'
    order by key, line
) p
group by key;
analyze net_outlets, net_ratings, net_places;
