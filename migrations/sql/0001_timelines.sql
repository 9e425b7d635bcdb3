-- Coverage in a window as it grew, and how outlets' choices overlap in it.

-- Reports and articles by the UTC hour, day or week that they fall in, the reports by the side of their outlet.
create function window_buckets(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[], unit text
)
returns table (start timestamptz, side side, report_count bigint, article_count bigint)
    language plpgsql stable rows 10000 set plan_cache_mode = force_custom_plan as
$$
declare
    step constant interval := case unit when 'HOUR' then interval '1 hour' when 'DAY' then interval '1 day' else interval '7 days' end;
    -- A Monday. UTC has no day of another length, so that intervals are equal steps from it.
    origin constant timestamptz := '2001-01-01 00:00+00';
    topic constant bigint := window_topic(topics, places, outlets);
    edge record := whole_days(after, before);
begin
    if topic is not null then
        return query
        select date_bin(step, c.at, origin) as bucket, c.side, sum(c.reports)::bigint, sum(c.articles)::bigint
        from topic_coverage(topic, after, before, unit = 'HOUR') c
        group by bucket, c.side;
        return;
    end if;
    if topics is not null or places is not null then
        return query
        select date_bin(step, r.first_published_at, origin) as bucket, o.side, count(*), 0::bigint
        from window_members(after, before, topics, places) m (story_id)
        join reports r on r.story_id = m.story_id
        join outlets o on o.id = r.outlet_id
        where r.first_published_at >= after and r.first_published_at < before
            and (outlets is null or r.outlet_id = any (outlets))
        group by bucket, o.side
        union all
        select date_bin(step, a.published_at, origin) as bucket, null, 0, count(*)
        from window_members(after, before, topics, places) m (story_id)
        join articles a on a.story_id = m.story_id
        where a.published_at >= after and a.published_at < before and (outlets is null or a.outlet_id = any (outlets))
        group by bucket;
        return;
    end if;
    if unit = 'HOUR' then
        -- Nothing is kept of outlets by the hour: the first edge is the whole window.
        edge.first_day := edge.last_day;
        edge.whole_from := before;
        edge.whole_till := before;
    end if;
    return query
    select date_bin(step, d.day::timestamp at time zone 'UTC', origin) as bucket, d.side, d.reports, d.articles
    from (
        select d.day, o.side, sum(d.report_count)::bigint as reports, sum(d.article_count)::bigint as articles
        from outlet_days d join outlets o on o.id = d.outlet_id
        where d.day >= edge.first_day and d.day < edge.last_day and d.outlet_id = any (outlets)
        group by d.day, o.side
    ) d
    union all
    select date_bin(step, r.first_published_at, origin) as bucket, o.side, count(*), 0
    from reports r join outlets o on o.id = r.outlet_id
    where r.first_published_at >= after and r.first_published_at < edge.whole_from and r.outlet_id = any (outlets)
    group by bucket, o.side
    union all
    select date_bin(step, r.first_published_at, origin) as bucket, o.side, count(*), 0
    from reports r join outlets o on o.id = r.outlet_id
    where r.first_published_at >= edge.whole_till and r.first_published_at < before and r.outlet_id = any (outlets)
    group by bucket, o.side
    union all
    select date_bin(step, a.published_at, origin) as bucket, null, 0, count(*)
    from articles a
    where a.published_at >= after and a.published_at < edge.whole_from and a.outlet_id = any (outlets)
    group by bucket
    union all
    select date_bin(step, a.published_at, origin) as bucket, null, 0, count(*)
    from articles a
    where a.published_at >= edge.whole_till and a.published_at < before and a.outlet_id = any (outlets)
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
