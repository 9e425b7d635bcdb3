-- Coverage over many stories, in a window [after, before). What chooses reports: topics and places by story, outlets by id; null
-- where all do. A report is in the window when its first article is; articles by their own time.
-- Functions in plpgsql are planned for their arguments: a plan for any topic and any outlet serves none of them well. Those in
-- SQL become part of the statement that calls them, and what the arguments rule out is left out of its plan.

-- Stories of topics and places -------------------------------------------------------------------------

-- The stories of topics and of places that can have anything in a window: each once.
create function window_members(after timestamptz, before timestamptz, topics bigint[], places bigint[]) returns setof bigint
    language sql stable rows 1000 as
$$
    select f.story_id from story_facets f
    where topics is not null and f.facet = 'TOPIC' and f.value = any (topics)
        and f.latest >= time_step('TOPIC', after) and f.newest <= time_step('TOPIC', before)
        and (places is null or exists (
            select from story_facets p where p.story_id = f.story_id and p.facet = 'PLACE' and p.value = any (places)
        ))
    group by f.story_id
    union all
    select f.story_id from story_facets f
    where topics is null and f.facet = 'PLACE' and f.value = any (places)
        and f.latest >= time_step('PLACE', after) and f.newest <= time_step('PLACE', before)
    group by f.story_id
$$;

-- Whether most of what a story has is likely to be in a window that it reaches into. Half of it comes within hours of the first
-- article; a wrong guess costs time only.
create function mostly_within(first timestamptz, last timestamptz, after timestamptz, before timestamptz) returns boolean
    language sql stable parallel safe
    return case
        when first >= after and last < before then true
        when first >= after then first < before - interval '8 hours'
        when last < before then first >= after - interval '8 hours'
        else false
    end;

-- The same stories as far as they reach into the window, with what is kept of each as a whole. What lies across an edge
-- (`crossing`) has to be read in part: where most is within, what is outside, to be taken off what is kept (`sign` -1), and
-- otherwise what is within (`sign` 1). That part is what was published in [lower, upper).
create function window_spans(after timestamptz, before timestamptz, topics bigint[], places bigint[])
returns table (
    story_id bigint, first_published_at timestamptz, last_reported_at timestamptz, blindspot side, article_count integer,
    outlet_count integer, bias_counts integer[], factuality_counts integer[], ownership_counts integer[],
    mostly_within boolean, crossing boolean, sign integer, lower timestamptz, upper timestamptz
)
    language sql stable rows 1000 as
$$
    select s.id, s.first_published_at, s.last_reported_at, s.blindspot, s.article_count,
        s.outlet_count, s.bias_counts, s.factuality_counts, s.ownership_counts,
        s.mostly_within, s.first_published_at < after or s.last_published_at >= before,
        case when s.mostly_within then -1 else 1 end,
        case when not s.mostly_within then after when s.first_published_at < after then '-infinity' else before end,
        case when not s.mostly_within then before when s.first_published_at < after then after else 'infinity' end
    from (
        select s.*, mostly_within(s.first_published_at, s.last_published_at, after, before) as mostly_within
        from window_members(after, before, topics, places) m (story_id)
        join stories s on s.id = m.story_id
        where s.article_count > 0 and s.first_published_at < before and s.last_published_at >= after
    ) s
$$;

-- Reports, articles and outlets -----------------------------------------------------------------------

-- The whole UTC days within a window, and what is left of it at both edges: [after, from) and [till, before).
create function whole_days(
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

-- The UTC days that a window is nearest to, and what lies at its edges: where `sign` is 1 to be added to what the days have, where it
-- is -1 to be taken off, half a day at most. A short window has no days: all of it is its head.
create function nearest_days(
    after timestamptz, before timestamptz, out first_day date, out last_day date,
    out head_from timestamptz, out head_till timestamptz, out head_sign integer,
    out tail_from timestamptz, out tail_till timestamptz, out tail_sign integer
)
    language sql immutable parallel safe
begin atomic
    select utc_day(m.first), utc_day(m.last),
        least(after, m.first), greatest(after, m.first), case when after <= m.first then 1 else -1 end,
        least(before, m.last), greatest(before, m.last), case when before >= m.last then 1 else -1 end
    from (
        select case when n.is_long then n.first else before end as first, case when n.is_long then n.last else before end as last
        from (
            select d.first, d.last, greatest(d.first - after, after - d.first) + greatest(d.last - before, before - d.last) < before - after as is_long
            from (
                select date_trunc('day', after + interval '12 hours', 'UTC') as first,
                    date_trunc('day', before + interval '12 hours', 'UTC') as last
            ) d
        ) n
    ) m;
end;

-- The whole hours of a window.
create function whole_hours(after timestamptz, before timestamptz, out whole_from timestamptz, out whole_till timestamptz)
    language sql immutable parallel safe
begin atomic
    select least(h.first, before), greatest(h.last, least(h.first, before))
    from (
        select date_trunc('hour', after - interval '1 microsecond', 'UTC') + interval '1 hour' as first,
            date_trunc('hour', before, 'UTC') as last
    ) h;
end;

-- The topic whose kept coverage answers: 0 where all stories are chosen, null where nothing is kept of what is chosen.
create function window_topic(topics bigint[], places bigint[], outlets bigint[]) returns bigint
    language sql immutable parallel safe
    return case
        when places is not null or outlets is not null then null
        when topics is null then 0
        when cardinality(topics) = 1 then topics[1]
    end;

-- The stories of one topic that can have anything in [lower, upper), which may be empty.
create function topic_members(topic bigint, lower timestamptz, upper timestamptz) returns table (story_id bigint)
    language sql stable rows 1000 as
$$
    select f.story_id from story_facets f
    where topic <> 0 and lower < upper and f.facet = 'TOPIC' and f.value = topic
        and f.latest >= time_step('TOPIC', lower) and f.newest <= time_step('TOPIC', upper)
$$;

-- Reports of all stories or of a topic's in [lower, upper), which is short; each counts as `n`, the sign of its edge.
create function edge_reports(topic bigint, lower timestamptz, upper timestamptz, sign integer default 1)
returns table (outlet_id bigint, first_published_at timestamptz, n integer)
    language sql stable rows 1000 as
$$
    select r.outlet_id, r.first_published_at, sign
    from reports r
    where topic = 0 and r.first_published_at >= lower and r.first_published_at < upper
    union all
    select r.outlet_id, r.first_published_at, sign
    from topic_members(topic, lower, upper) m
    join reports r on r.story_id = m.story_id
    where r.first_published_at >= lower and r.first_published_at < upper
$$;

create function edge_articles(topic bigint, lower timestamptz, upper timestamptz, sign integer default 1)
returns table (outlet_id bigint, published_at timestamptz, n integer)
    language sql stable rows 1000 as
$$
    select a.outlet_id, a.published_at, sign
    from articles a
    where topic = 0 and a.published_at >= lower and a.published_at < upper
    union all
    select a.outlet_id, a.published_at, sign
    from topic_members(topic, lower, upper) m
    join articles a on a.story_id = m.story_id
    where a.published_at >= lower and a.published_at < upper
$$;

-- What is kept of all stories (topic 0) or of a topic's: of whole days by the day, of what is beside them by the hour.
create function kept_coverage(
    topic bigint, hours_from timestamptz, days_from timestamptz, days_till timestamptz, hours_till timestamptz
)
returns table (at timestamptz, side side, reports integer, articles integer)
    language sql stable rows 1000 as
$$
    select d.day::timestamp at time zone 'UTC', s.side, s.reports, s.articles
    from coverage_days d
    cross join lateral (
        values ('LEFT'::side, d.bias_counts[1] + d.bias_counts[2] + d.bias_counts[3], 0), ('CENTER', d.bias_counts[4], 0),
            ('RIGHT', d.bias_counts[5] + d.bias_counts[6] + d.bias_counts[7], 0),
            (null, d.report_count - total(d.bias_counts), d.article_count)
    ) s (side, reports, articles)
    where d.topic_id = topic and d.day >= utc_day(days_from) and d.day < utc_day(days_till)
    union all
    select h.hour, s.side, s.reports, s.articles
    from (
        select * from coverage_hours h where h.topic_id = topic and h.hour >= hours_from and h.hour < least(days_from, hours_till)
        union all
        select * from coverage_hours h where h.topic_id = topic and h.hour >= days_till and h.hour < hours_till
    ) h
    cross join lateral (
        values ('LEFT'::side, h.left_count, 0), ('CENTER', h.center_count, 0), ('RIGHT', h.right_count, 0),
            (null, h.unrated_count, h.article_count)
    ) s (side, reports, articles)
$$;

-- Reports, by the side of their outlet, and articles of all stories or of a topic's, with a time of the same day, or where `hourly`
-- of the same hour: what is kept of whole days and hours, and what is read of the rest.
create function topic_coverage(topic bigint, after timestamptz, before timestamptz, hourly boolean)
returns table (at timestamptz, side side, reports integer, articles integer)
    language plpgsql stable rows 1000 set plan_cache_mode = force_custom_plan as
$$
declare
    days record := whole_days(after, before);
    hours constant record := whole_hours(after, before);
begin
    if hourly then
        days.whole_from := hours.whole_till;
        days.whole_till := hours.whole_till;
    end if;
    return query
    select * from kept_coverage(topic, hours.whole_from, days.whole_from, days.whole_till, hours.whole_till)
    union all
    select r.first_published_at, o.side, 1, 0
    from (
        select * from edge_reports(topic, after, hours.whole_from)
        union all
        select * from edge_reports(topic, hours.whole_till, before)
    ) r
    join outlets o on o.id = r.outlet_id
    union all
    select a.published_at, null, 0, 1
    from (
        select * from edge_articles(topic, after, hours.whole_from)
        union all
        select * from edge_articles(topic, hours.whole_till, before)
    ) a;
end;
$$;

-- Reports and articles of each outlet that has any in the window.
create function window_outlets(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns table (outlet_id bigint, report_count bigint, article_count bigint)
    language plpgsql stable rows 1000 set plan_cache_mode = force_custom_plan as
$$
declare
    topic constant bigint := window_topic(topics, places, null);
    days constant record := nearest_days(after, before);
begin
    if topic is null then
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
    return query
    select e.outlet_id, sum(e.reports), sum(e.articles)
    from (
        select d.outlet_id, d.report_count as reports, d.article_count as articles
        from outlet_days d
        where topic = 0 and d.day >= days.first_day and d.day < days.last_day
        union all
        -- Not in `from`, where it takes twice as long.
        select unnest(c.outlet_ids), unnest(c.report_counts), unnest(c.article_counts)
        from coverage_outlets c
        where topic <> 0 and c.topic_id = topic and c.day >= days.first_day and c.day < days.last_day
        union all
        select r.outlet_id, r.n, 0 from edge_reports(topic, days.head_from, days.head_till, days.head_sign) r
        union all
        select r.outlet_id, r.n, 0 from edge_reports(topic, days.tail_from, days.tail_till, days.tail_sign) r
        union all
        select a.outlet_id, 0, a.n from edge_articles(topic, days.head_from, days.head_till, days.head_sign) a
        union all
        select a.outlet_id, 0, a.n from edge_articles(topic, days.tail_from, days.tail_till, days.tail_sign) a
    ) e
    where outlets is null or e.outlet_id = any (outlets)
    group by e.outlet_id
    having sum(e.reports) > 0 or sum(e.articles) > 0;
end;
$$;

-- The outlets with a report in the window, with their counts, in no order; null unless sums are kept of the choice just if `kept`. Of
-- such a choice one pass tells of all outlets; of others it takes longer than to look how many there are (`window_outlet_count`).
create function covering_outlets(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[], kept boolean,
    out outlet_ids bigint[], out report_counts bigint[], out article_counts bigint[]
)
    language sql stable as
$$
    select array_agg(o.outlet_id), array_agg(o.report_count), array_agg(o.article_count)
    from window_outlets(after, before, topics, places, outlets) o
    where (window_topic(topics, places, outlets) is not null) = kept and o.report_count > 0
$$;

-- Reports and articles in the window. Where stories alone choose, what is kept of each story is added up, and only what lies
-- across an edge is read.
create function window_counts(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[],
    out report_count bigint, out article_count bigint
)
    language plpgsql stable set plan_cache_mode = force_custom_plan as
$$
declare
    topic constant bigint := window_topic(topics, places, outlets);
begin
    if topic is not null then
        select coalesce(sum(c.reports), 0), coalesce(sum(c.articles), 0) into report_count, article_count
        from topic_coverage(topic, after, before, false) c;
        return;
    elsif outlets is not null then
        select coalesce(sum(o.report_count), 0), coalesce(sum(o.article_count), 0) into report_count, article_count
        from window_outlets(after, before, topics, places, outlets) o;
        return;
    end if;
    select coalesce(sum(s.outlet_count) filter (where s.mostly_within), 0)
            + coalesce(sum(s.sign * (
                select count(*) from reports r
                where r.story_id = s.story_id and r.first_published_at >= s.lower and r.first_published_at < s.upper
            )) filter (where s.crossing), 0),
        coalesce(sum(s.article_count) filter (where s.mostly_within), 0)
            + coalesce(sum(s.sign * (
                select count(*) from articles a
                where a.story_id = s.story_id and a.published_at >= s.lower and a.published_at < s.upper
            )) filter (where s.crossing), 0)
    into report_count, article_count
    from window_spans(after, before, topics, places) s;
end;
$$;

-- How the reports in the window divide by what their outlets are rated now, and how many those are.
create function window_ratings(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[],
    out divided_count bigint, out bias_counts integer[], out factuality_counts integer[], out ownership_counts integer[]
)
    language plpgsql stable set plan_cache_mode = force_custom_plan as
$$
declare
    topic constant bigint := window_topic(topics, places, outlets);
    by_story constant boolean := topic is null and outlets is null;
    days constant record := nearest_days(after, before);
    kept record;
begin
    if topic is not null then
        select sum(d.report_count) as n,
            array[
                sum(d.bias_counts[1]), sum(d.bias_counts[2]), sum(d.bias_counts[3]), sum(d.bias_counts[4]), sum(d.bias_counts[5]),
                sum(d.bias_counts[6]), sum(d.bias_counts[7])
            ] as bias,
            array[
                sum(d.factuality_counts[1]), sum(d.factuality_counts[2]), sum(d.factuality_counts[3]), sum(d.factuality_counts[4]),
                sum(d.factuality_counts[5])
            ] as factuality,
            array[
                sum(d.ownership_counts[1]), sum(d.ownership_counts[2]), sum(d.ownership_counts[3]), sum(d.ownership_counts[4]),
                sum(d.ownership_counts[5]), sum(d.ownership_counts[6]), sum(d.ownership_counts[7]), sum(d.ownership_counts[8])
            ] as ownership
        into kept
        from coverage_days d where d.topic_id = topic and d.day >= days.first_day and d.day < days.last_day;
    else
        select sum(s.outlet_count) as n,
            array[
                sum(s.bias_counts[1]), sum(s.bias_counts[2]), sum(s.bias_counts[3]), sum(s.bias_counts[4]), sum(s.bias_counts[5]),
                sum(s.bias_counts[6]), sum(s.bias_counts[7])
            ] as bias,
            array[
                sum(s.factuality_counts[1]), sum(s.factuality_counts[2]), sum(s.factuality_counts[3]), sum(s.factuality_counts[4]),
                sum(s.factuality_counts[5])
            ] as factuality,
            array[
                sum(s.ownership_counts[1]), sum(s.ownership_counts[2]), sum(s.ownership_counts[3]), sum(s.ownership_counts[4]),
                sum(s.ownership_counts[5]), sum(s.ownership_counts[6]), sum(s.ownership_counts[7]), sum(s.ownership_counts[8])
            ] as ownership
        into kept
        from window_spans(after, before, topics, places) s
        where by_story and s.mostly_within;
    end if;

    with read_by_outlet as (
        select o.outlet_id, o.report_count as n
        from window_outlets(after, before, topics, places, outlets) o
        where topic is null and not by_story
        union all
        select r.outlet_id, r.n from edge_reports(topic, days.head_from, days.head_till, days.head_sign) r where topic is not null
        union all
        select r.outlet_id, r.n from edge_reports(topic, days.tail_from, days.tail_till, days.tail_sign) r where topic is not null
        union all
        select r.outlet_id, s.sign
        from window_spans(after, before, topics, places) s
        join reports r on r.story_id = s.story_id and r.first_published_at >= s.lower and r.first_published_at < s.upper
        where by_story and s.crossing
    ),
    read_by_rating as (
        select o.bias, o.factuality, o.ownership, sum(r.n) as n
        from read_by_outlet r join outlets o on o.id = r.outlet_id
        group by o.bias, o.factuality, o.ownership
    )
    select coalesce(kept.n, 0) + coalesce((select sum(r.n) from read_by_rating r), 0),
        array(
            select coalesce(v.kept, 0) + coalesce(sum(r.n), 0)
            from unnest(enum_range(null::bias), kept.bias) with ordinality v (value, kept, entry)
            left join read_by_rating r on r.bias = v.value
            group by v.entry, v.kept order by v.entry
        ),
        array(
            select coalesce(v.kept, 0) + coalesce(sum(r.n), 0)
            from unnest(enum_range(null::factuality), kept.factuality) with ordinality v (value, kept, entry)
            left join read_by_rating r on r.factuality = v.value
            group by v.entry, v.kept order by v.entry
        ),
        array(
            select coalesce(v.kept, 0) + coalesce(sum(r.n), 0)
            from unnest(enum_range(null::ownership_category), kept.ownership) with ordinality v (value, kept, entry)
            left join read_by_rating r on r.ownership = v.value
            group by v.entry, v.kept order by v.entry
        )
    into divided_count, bias_counts, factuality_counts, ownership_counts;
end;
$$;

-- How many outlets have a report in the window; null for choices of which sums are kept.
create function window_outlet_count(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns bigint
    language plpgsql stable set plan_cache_mode = force_custom_plan as
$$
declare
    by_story constant boolean := topics is not null or places is not null;
begin
    if window_topic(topics, places, outlets) is not null then
        return null;
    end if;
    -- One look for each story that can have any, or one for each outlet: whichever are fewer.
    if by_story and (select count(*) from window_members(after, before, topics, places))
        < coalesce(cardinality(outlets), (select count(*) from outlets)) then
        return (
            select count(distinct r.outlet_id)
            from window_members(after, before, topics, places) m (story_id)
            join reports r on r.story_id = m.story_id
            where r.first_published_at >= after and r.first_published_at < before and (outlets is null or r.outlet_id = any (outlets))
        );
    end if;
    return (
        select count(*)
        from outlets o
        cross join lateral (
            select from reports r
            where r.outlet_id = o.id and r.first_published_at >= after and r.first_published_at < before
                -- `is true` keeps the stories a set to look into, where a join would read all reports.
                and (not by_story or (r.story_id in (select window_members(after, before, topics, places))) is true)
            limit 1
        ) r
        where outlets is null or o.id = any (outlets)
    );
end;
$$;

-- Stories -----------------------------------------------------------------------------------------------

-- The stories that have a report in the window, each once, with the side that is missing from them now.
create function window_stories(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns table (story_id bigint, blindspot side)
    language sql stable rows 10000 as
$$
    select s.id, s.blindspot
    from stories s
    where topics is null and places is null and outlets is null
        and s.article_count > 0 and s.first_published_at >= after and s.first_published_at < before
    union all
    -- A story that began before the window has its newest article in it, or after: few do either.
    select s.id, s.blindspot
    from stories s
    where topics is null and places is null and outlets is null
        and s.article_count > 0 and s.last_published_at >= after and s.first_published_at < after
        and s.last_reported_at >= after and (s.last_reported_at < before or exists (
            select from reports r where r.story_id = s.id and r.first_published_at >= after and r.first_published_at < before
        ))
    union all
    select s.story_id, s.blindspot
    from window_spans(after, before, topics, places) s
    where (topics is not null or places is not null) and outlets is null
        and s.last_reported_at >= after and (s.first_published_at >= after or s.last_reported_at < before or exists (
            select from reports r
            where r.story_id = s.story_id and r.first_published_at >= after and r.first_published_at < before
        ))
    union all
    select r.story_id, s.blindspot
    from (
        select distinct r.story_id from reports r
        where r.outlet_id = any (outlets) and r.first_published_at >= after and r.first_published_at < before
    ) r
    -- Of most stories no side is missing: few have to be looked up.
    left join stories s on s.id = r.story_id and s.article_count > 0 and s.blindspot is not null
        and s.first_published_at < before and s.last_published_at >= after
    where outlets is not null
        and ((topics is null and places is null)
            or r.story_id in (select m.story_id from window_members(after, before, topics, places) m (story_id)))
$$;

-- The stories of one topic whose facet does not tell that they are in the window, and that are: those that began in the step of either
-- edge, or before.
create function edge_stories(topic bigint, after timestamptz, before timestamptz) returns table (story_id bigint, blindspot side)
    language sql stable rows 1000 as
$$
    select s.id, s.blindspot
    from story_facets f
    join stories s on s.id = f.story_id
    where f.facet = 'TOPIC' and f.value = topic and f.latest >= time_step('TOPIC', after)
        and (f.newest <= time_step('TOPIC', after) or f.newest = time_step('TOPIC', before))
        and s.article_count > 0 and s.first_published_at < before and s.last_reported_at >= after
        and (s.first_published_at >= after or s.last_reported_at < before or exists (
            select from reports r where r.story_id = s.id and r.first_published_at >= after and r.first_published_at < before
        ))
$$;

-- How many stories have a report in the window, and how many of them are a blindspot for each side.
create function window_story_counts(
    after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[],
    out story_count bigint, out left_blindspot_count bigint, out right_blindspot_count bigint
)
    language plpgsql stable set plan_cache_mode = force_custom_plan as
$$
declare
    topic constant bigint := window_topic(topics, places, outlets);
    first_step constant timestamptz := time_step('TOPIC', after);
    last_step constant timestamptz := time_step('TOPIC', before);
begin
    if topic <> 0 then
        -- What began in a step between those of the edges is in the window: its facet tells enough.
        select count(*) into story_count
        from story_facets f
        where f.facet = 'TOPIC' and f.value = topic and f.newest > first_step and f.newest < last_step;
        select count(*) filter (where f.blindspot = 'LEFT'), count(*) filter (where f.blindspot = 'RIGHT')
        into left_blindspot_count, right_blindspot_count
        from story_facets f
        where f.facet = 'TOPIC' and f.value = topic and f.blindspot in ('LEFT', 'RIGHT')
            and f.newest > first_step and f.newest < last_step;
        select story_count + count(*),
            left_blindspot_count + count(*) filter (where s.blindspot = 'LEFT'),
            right_blindspot_count + count(*) filter (where s.blindspot = 'RIGHT')
        into story_count, left_blindspot_count, right_blindspot_count
        from edge_stories(topic, after, before) s;
        return;
    end if;
    select count(*), count(*) filter (where s.blindspot = 'LEFT'), count(*) filter (where s.blindspot = 'RIGHT')
    into story_count, left_blindspot_count, right_blindspot_count
    from window_stories(after, before, topics, places, outlets) s;
end;
$$;

-- How many of them are tagged with each topic.
create function window_topics(after timestamptz, before timestamptz, topics bigint[], places bigint[], outlets bigint[])
returns table (topic_id bigint, story_count bigint)
    language plpgsql stable rows 200 set plan_cache_mode = force_custom_plan as
$$
declare
    topic constant bigint := window_topic(topics, places, outlets);
    edge constant record := whole_days(after, before);
begin
    if topic = 0 then
        return query
        select c.topic_id, sum(c.n)::bigint
        from (
            select d.topic_id, sum(d.begun_count) as n
            from topics t join coverage_days d on d.topic_id = t.id
            where d.day >= edge.first_day and d.day < edge.last_day
            group by d.topic_id
            union all
            -- What began in the rest of the window, or before it with a report in it.
            select t.topic_id, count(*)
            from (
                select s.id from stories s
                where s.article_count > 0 and s.first_published_at >= after and s.first_published_at < edge.whole_from
                union all
                select s.id from stories s
                where s.article_count > 0 and s.first_published_at >= edge.whole_till and s.first_published_at < before
                union all
                select s.id from stories s
                where s.article_count > 0 and s.last_published_at >= after and s.first_published_at < after
                    and s.last_reported_at >= after and (s.last_reported_at < before or exists (
                        select from reports r
                        where r.story_id = s.id and r.first_published_at >= after and r.first_published_at < before
                    ))
            ) s
            -- `offset 0` keeps it a look for each story: they are taken for many more, for which all rows would be read.
            cross join lateral (select t.topic_id from story_topics t where t.story_id = s.id offset 0) t
            group by t.topic_id
        ) c
        group by c.topic_id
        having sum(c.n) > 0;
        return;
    elsif topic is not null then
        return query
        select t.topic_id, count(*)
        from (
            select f.story_id from story_facets f
            where f.facet = 'TOPIC' and f.value = topic and f.latest >= time_step('TOPIC', after)
                and f.newest > time_step('TOPIC', after) and f.newest < time_step('TOPIC', before)
            union all
            select s.story_id from edge_stories(topic, after, before) s
        ) s
        join story_topics t on t.story_id = s.story_id
        group by t.topic_id;
        return;
    end if;
    return query
    select t.topic_id, count(*)
    from window_stories(after, before, topics, places, outlets) s
    join story_topics t on t.story_id = s.story_id
    group by t.topic_id;
end;
$$;

