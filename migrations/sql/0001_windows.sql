-- Coverage over many stories, in a window [after, before). What chooses reports: topics and places by story, outlets by id; null
-- where all do. A report is in the window when its first article is; articles by their own time.
-- Each of these is planned for its arguments: a plan for any topic and any outlet serves none of them well.

-- The stories of topics and of places that can have anything in a window: each once.
create function window_members(after timestamptz, before timestamptz, topics bigint[], places bigint[]) returns setof bigint
    language plpgsql stable rows 1000 set plan_cache_mode = force_custom_plan as
$$
begin
    if topics is null then
        return query
        select f.story_id from story_facets f
        where f.facet = 'PLACE' and f.value = any (places)
            and f.latest >= time_step('PLACE', after) and f.newest <= time_step('PLACE', before)
        group by f.story_id;
    else
        return query
        select f.story_id from story_facets f
        where f.facet = 'TOPIC' and f.value = any (topics)
            and f.latest >= time_step('TOPIC', after) and f.newest <= time_step('TOPIC', before)
            and (places is null or exists (
                select from story_facets p where p.story_id = f.story_id and p.facet = 'PLACE' and p.value = any (places)
            ))
        group by f.story_id;
    end if;
end;
$$;

-- The whole UTC days of a window, and what is left of it at both edges: [after, from) and [till, before).
create function window_edges(
    after timestamptz, before timestamptz, out first_day date, out last_day date, out whole_from timestamptz, out whole_till timestamptz
)
    language sql immutable parallel safe
begin atomic
    select d.first_day, d.last_day,
        least(d.first_day::timestamp at time zone 'UTC', before),
        greatest(d.last_day::timestamp at time zone 'UTC', least(d.first_day::timestamp at time zone 'UTC', before))
    from (
        select (date_trunc('day', after - interval '1 microsecond', 'UTC') at time zone 'UTC')::date + 1 as first_day,
            (before at time zone 'UTC')::date as last_day
    ) d;
end;

-- Reports and articles of each outlet that has any in the window.
create function window_outlets(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns table (outlet_id bigint, report_count bigint, article_count bigint)
    language plpgsql stable rows 1000 set plan_cache_mode = force_custom_plan as
$$
declare
    edge record;
begin
    if topics is not null or places is not null then
        return query
        select r.outlet_id, count(*) filter (where r.first_published_at >= after),
            sum(case
                when r.first_published_at >= after and r.last_published_at < before then r.article_count
                else (
                    select count(*) from articles a
                    where a.story_id = r.story_id and a.outlet_id = r.outlet_id and a.published_at >= after and a.published_at < before
                )
            end)::bigint
        from window_members(after, before, topics, places) m (story_id)
        join reports r on r.story_id = m.story_id
        where r.first_published_at < before and r.last_published_at >= after
            and (outlets is null or r.outlet_id = any (outlets))
        group by r.outlet_id;
        return;
    end if;
    edge := window_edges(after, before);
    return query
    select e.outlet_id, sum(e.reports)::bigint, sum(e.articles)::bigint
    from (
        select d.outlet_id, sum(d.report_count) as reports, sum(d.article_count) as articles
        from outlet_days d
        where d.day >= edge.first_day and d.day < edge.last_day and (outlets is null or d.outlet_id = any (outlets))
        group by d.outlet_id
        union all
        select r.outlet_id, count(*), 0
        from reports r
        where r.first_published_at >= after and r.first_published_at < edge.whole_from and (outlets is null or r.outlet_id = any (outlets))
        group by r.outlet_id
        union all
        select r.outlet_id, count(*), 0
        from reports r
        where r.first_published_at >= edge.whole_till and r.first_published_at < before and (outlets is null or r.outlet_id = any (outlets))
        group by r.outlet_id
        union all
        select a.outlet_id, 0, count(*)
        from articles a
        where a.published_at >= after and a.published_at < edge.whole_from and (outlets is null or a.outlet_id = any (outlets))
        group by a.outlet_id
        union all
        select a.outlet_id, 0, count(*)
        from articles a
        where a.published_at >= edge.whole_till and a.published_at < before and (outlets is null or a.outlet_id = any (outlets))
        group by a.outlet_id
    ) e
    group by e.outlet_id
    having sum(e.reports) > 0 or sum(e.articles) > 0;
end;
$$;

-- The stories that have a report in the window, each once, with the side that is missing from them now.
create function window_stories(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns table (story_id bigint, blindspot side)
    language plpgsql stable rows 10000 set plan_cache_mode = force_custom_plan as
$$
begin
    if outlets is not null then
        return query
        select s.id, s.blindspot
        from (
            select distinct r.story_id from reports r
            where r.outlet_id = any (outlets) and r.first_published_at >= after and r.first_published_at < before
        ) r
        join stories s on s.id = r.story_id
        where (topics is null and places is null)
            or s.id in (select m.story_id from window_members(after, before, topics, places) m (story_id));
    elsif topics is not null or places is not null then
        return query
        select s.id, s.blindspot
        from window_members(after, before, topics, places) m (story_id)
        join stories s on s.id = m.story_id
        where s.first_published_at >= after and s.first_published_at < before
            or s.first_published_at < after and s.last_published_at >= after and exists (
                select from reports r
                where r.story_id = s.id and r.first_published_at >= after and r.first_published_at < before
            );
    else
        return query
        select s.id, s.blindspot
        from stories s
        where s.article_count > 0 and s.first_published_at >= after and s.first_published_at < before
        union all
        -- A story that began before the window has its newest article in it, or after: few do either.
        select s.id, s.blindspot
        from stories s
        where s.article_count > 0 and s.last_published_at >= after and s.first_published_at < after and exists (
            select from reports r
            where r.story_id = s.id and r.first_published_at >= after and r.first_published_at < before
        );
    end if;
end;
$$;

-- How many stories have a report in the window.
create function window_story_count(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns bigint
    language plpgsql stable set plan_cache_mode = force_custom_plan as
$$
begin
    if topics is null and places is null and cardinality(outlets) = 1 then
        return (
            select count(*) from reports r
            where r.outlet_id = outlets[1] and r.first_published_at >= after and r.first_published_at < before
        );
    elsif topics is null and places is null and outlets is null then
        return (
            select count(*) from stories s
            where s.article_count > 0 and s.first_published_at >= after and s.first_published_at < before
        ) + (
            select count(*) from stories s
            where s.article_count > 0 and s.last_published_at >= after and s.first_published_at < after and exists (
                select from reports r
                where r.story_id = s.id and r.first_published_at >= after and r.first_published_at < before
            )
        );
    end if;
    return (select count(*) from window_stories(after, before, topics, places, outlets));
end;
$$;

-- Reports and articles by the UTC hour, day or week that they fall in, the reports by the side of their outlet.
create function window_buckets(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[], unit text
)
returns table (start timestamptz, side side, report_count bigint, article_count bigint)
    language plpgsql stable rows 10000 set plan_cache_mode = force_custom_plan as
$$
declare
    edge record;
begin
    if topics is not null or places is not null then
        return query
        select date_trunc(unit, r.first_published_at, 'UTC') as bucket, o.side, count(*), 0::bigint
        from window_members(after, before, topics, places) m (story_id)
        join reports r on r.story_id = m.story_id
        join outlets o on o.id = r.outlet_id
        where r.first_published_at >= after and r.first_published_at < before
            and (outlets is null or r.outlet_id = any (outlets))
        group by bucket, o.side
        union all
        select date_trunc(unit, a.published_at, 'UTC') as bucket, null, 0, count(*)
        from window_members(after, before, topics, places) m (story_id)
        join articles a on a.story_id = m.story_id
        where a.published_at >= after and a.published_at < before and (outlets is null or a.outlet_id = any (outlets))
        group by bucket;
        return;
    end if;
    edge := window_edges(after, before);
    if unit = 'HOUR' then
        -- Nothing is kept by the hour: the first edge is the whole window.
        edge.first_day := edge.last_day;
        edge.whole_from := before;
        edge.whole_till := before;
    end if;
    return query
    select date_trunc(unit, d.day::timestamp at time zone 'UTC', 'UTC') as bucket, d.side, d.reports, d.articles
    from (
        select d.day, o.side, sum(d.report_count)::bigint as reports, sum(d.article_count)::bigint as articles
        from outlet_days d join outlets o on o.id = d.outlet_id
        where d.day >= edge.first_day and d.day < edge.last_day and (outlets is null or d.outlet_id = any (outlets))
        group by d.day, o.side
    ) d
    union all
    select date_trunc(unit, r.first_published_at, 'UTC') as bucket, o.side, count(*), 0
    from reports r join outlets o on o.id = r.outlet_id
    where r.first_published_at >= after and r.first_published_at < edge.whole_from and (outlets is null or r.outlet_id = any (outlets))
    group by bucket, o.side
    union all
    select date_trunc(unit, r.first_published_at, 'UTC') as bucket, o.side, count(*), 0
    from reports r join outlets o on o.id = r.outlet_id
    where r.first_published_at >= edge.whole_till and r.first_published_at < before and (outlets is null or r.outlet_id = any (outlets))
    group by bucket, o.side
    union all
    select date_trunc(unit, a.published_at, 'UTC') as bucket, null, 0, count(*)
    from articles a
    where a.published_at >= after and a.published_at < edge.whole_from and (outlets is null or a.outlet_id = any (outlets))
    group by bucket
    union all
    select date_trunc(unit, a.published_at, 'UTC') as bucket, null, 0, count(*)
    from articles a
    where a.published_at >= edge.whole_till and a.published_at < before and (outlets is null or a.outlet_id = any (outlets))
    group by bucket;
end;
$$;

-- The same, a row for each interval.
create function window_timeline(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[], unit text
)
returns table (
    start timestamptz, article_count bigint, report_count bigint,
    left_count bigint, center_count bigint, right_count bigint, unrated_count bigint
)
    language sql stable as
$$
    select b.start, sum(b.article_count)::bigint, sum(b.report_count)::bigint,
        coalesce(sum(b.report_count) filter (where b.side = 'LEFT'), 0)::bigint,
        coalesce(sum(b.report_count) filter (where b.side = 'CENTER'), 0)::bigint,
        coalesce(sum(b.report_count) filter (where b.side = 'RIGHT'), 0)::bigint,
        coalesce(sum(b.report_count) filter (where b.side is null), 0)::bigint
    from window_buckets(after, before, topics, places, outlets, unit) b
    group by b.start
    having sum(b.report_count) > 0 or sum(b.article_count) > 0;
$$;

-- How two outlets' choices of stories overlap, for each pair of the domains, in their order.
create function outlet_overlaps(domains text[], after timestamptz, before timestamptz)
returns table (number bigint, a_id bigint, b_id bigint, both_count bigint, only_a_count bigint, only_b_count bigint)
    language plpgsql stable rows 45 set plan_cache_mode = force_custom_plan as
$$
declare
    unknown text;
begin
    if cardinality(domains) not between 2 and 10 or exists (select from unnest(domains) d group by d having count(*) > 1) then
        raise exception '''domains'' must name 2 to 10 different outlets.' using errcode = 'PLX01';
    end if;
    select d into unknown from unnest(domains) d where not exists (select from outlets o where o.domain = d) limit 1;
    if unknown is not null then
        raise exception '''domains'' names an outlet that is not known: %.', left(unknown, 300) using errcode = 'PLX01';
    end if;
    return query
    with compared as (
        select o.id, d.number from unnest(domains) with ordinality d (domain, number) join outlets o on o.domain = d.domain
    ),
    chosen as materialized (
        select c.id, c.number, r.story_id
        from compared c
        cross join lateral (
            select r.story_id from reports r
            where r.outlet_id = c.id and r.first_published_at >= after and r.first_published_at < before
        ) r
    ),
    counted as (select c.id, count(*) as n from chosen c group by c.id),
    shared as (
        select a.id as a, b.id as b, count(*) as n
        from chosen a join chosen b on b.story_id = a.story_id and b.number > a.number group by a.id, b.id
    )
    select row_number() over (order by a.number, b.number), a.id, b.id, coalesce(s.n, 0),
        coalesce(x.n, 0) - coalesce(s.n, 0), coalesce(y.n, 0) - coalesce(s.n, 0)
    from compared a
    join compared b on b.number > a.number
    left join counted x on x.id = a.id
    left join counted y on y.id = b.id
    left join shared s on s.a = a.id and s.b = b.id;
end;
$$;
