-- Functions that answers are read with.

-- An opaque position in a list: a check sum, what the list is bound to (type, parent, sort, filter) and the keys of the row.
create function list_cursor(binding text, parent text, keys json) returns text
    language sql immutable parallel safe
begin atomic
    select translate(encode(convert_to(left(md5(payload), 8) || payload, 'UTF8'), 'base64'), E'+/=\n', '-_')
    from (select binding || ':' || parent || ':' || keys::text as payload) p;
end;

-- True where a cursor is of this parent's list; else an error that is meant for the caller.
create function same_parent(given text, parent text) returns boolean
    language plpgsql stable parallel safe as
$$
begin
    if given is distinct from parent then
        raise exception 'The cursor belongs to another list.' using errcode = 'PLX01';
    end if;
    return true;
end;
$$;

-- Coverage of a story as it grew: articles by their own time, reports by that of their first article, by UTC hour, day or week.
create function story_timeline(story bigint, unit text)
returns table (
    start timestamptz, article_count integer, report_count integer,
    left_count integer, center_count integer, right_count integer, unrated_count integer
)
    language sql stable parallel safe
begin atomic
    select e.start,
        sum(e.articles)::integer,
        sum(e.reports)::integer,
        count(*) filter (where e.reports = 1 and e.side = 'LEFT')::integer,
        count(*) filter (where e.reports = 1 and e.side = 'CENTER')::integer,
        count(*) filter (where e.reports = 1 and e.side = 'RIGHT')::integer,
        count(*) filter (where e.reports = 1 and e.side is null)::integer
    from (
        select date_trunc(unit, a.published_at, 'UTC') as start, 1 as articles, 0 as reports, null::side as side
        from articles a
        where a.story_id = story
        union all
        select date_trunc(unit, r.first_published_at, 'UTC'), 0, 1, o.side
        from reports r join outlets o on o.id = r.outlet_id
        where r.story_id = story
    ) e
    group by e.start;
end;

-- The stories nearest in time that share a topic (any, where the story has none), those first whose titles are most alike:
-- lexemes shared over lexemes of either. `stories_latest` and `story_facets_latest` find the nearest on both sides in time.
create function related_stories(story bigint, size integer) returns setof stories
    language sql stable parallel safe as
$$
    with me as (
        select s.id, s.last_published_at as at, s.title_lexemes as lexemes,
            array(select t.topic_id from story_topics t where t.story_id = s.id) as topics
        from stories s where s.id = story
    ),
    candidates as (
        select s.id
        from me cross join lateral (
            (select s.id, s.last_published_at from stories s
             where cardinality(me.topics) = 0 and s.article_count > 0 and s.id <> me.id and s.last_published_at >= me.at
             order by s.last_published_at, s.id desc limit 200)
            union
            (select s.id, s.last_published_at from stories s
             where cardinality(me.topics) = 0 and s.article_count > 0 and s.last_published_at < me.at
             order by s.last_published_at desc, s.id desc limit 200)
            union
            (select s.id, s.last_published_at from stories s
             where cardinality(me.topics) > 0 and s.article_count > 0 and s.id <> me.id and s.last_published_at >= me.at
                and exists (select from story_topics t where t.story_id = s.id and t.topic_id = any (me.topics))
             order by s.last_published_at, s.id desc limit 200)
            union
            (select s.id, s.last_published_at from stories s
             where cardinality(me.topics) > 0 and s.article_count > 0 and s.last_published_at < me.at
                and exists (select from story_topics t where t.story_id = s.id and t.topic_id = any (me.topics))
             order by s.last_published_at desc, s.id desc limit 200)
        ) s
        order by abs(extract(epoch from s.last_published_at - me.at)), s.last_published_at desc, s.id desc
        limit 200
    )
    select s.*
    from candidates c
    join stories s on s.id = c.id
    cross join me
    cross join lateral (
        select count(*) as n from unnest(s.title_lexemes) l where l = any (me.lexemes)
    ) shared
    where shared.n > 0
    order by shared.n::double precision / (cardinality(s.title_lexemes) + cardinality(me.lexemes) - shared.n) desc,
        s.last_published_at desc, s.id desc
    limit size;
$$;

-- Blocks of time as queries of `articles_search`, from one end of a range to the other: the first is one of the smallest blocks,
-- and each query after it covers three times what those before do. The last one may go beyond the range.
-- Few queries, since each goes through what the index has pending; but not too many rows in the one that fills a page.
create function time_slices(since timestamptz, until timestamptz, newest_first boolean) returns setof tsquery
    language plpgsql immutable parallel safe strict rows 20 as
$$
declare
    -- The complement of a number runs the other way, and a block of complements is the complement of a block.
    flip constant bigint := case when newest_first then 0 else -1 end;
    first constant bigint := time_block(case when newest_first then until else since end) # flip;
    last constant bigint := time_block(case when newest_first then since else until end) # flip;
    kind integer := 0;
    rest bigint := first + 1;  -- below which no block was yet
    blocks text[] := '{}';
    enough bigint := 1;
begin
    while rest > last loop
        while kind < 3 and rest & ((32::bigint << 5 * kind) - 1) = 0 and first - rest + 1 >= 32::bigint << 5 * kind loop
            kind := kind + 1;
        end loop;
        rest := rest - (1::bigint << 5 * kind);
        blocks := blocks || format('''%s %s''', kind, (rest >> 5 * kind) # flip);
        if first - rest + 1 >= enough or rest <= last then
            return next array_to_string(blocks, '|')::tsquery;
            blocks := '{}';
            enough := 4 * (first - rest + 1);
        end if;
    end loop;
end;
$$;

-- What is of any of these outlets, as a query of `articles_search`; null where there are none.
create function outlets_query(bigint[]) returns tsquery
    language sql immutable parallel safe
    return (select string_agg('''' || outlet_lexeme(o) || '''', '|')::tsquery from unnest($1) o);
