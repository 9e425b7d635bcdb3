-- Coverage by the day and by the hour, for windows over all stories or over those of one topic. Every writer keeps it with what it counts.

-- Of all stories (topic 0), and of those of each topic and of the topics under it. What a day, or an hour, has is the sum of its
-- stripes: each transaction adds to a stripe that no other one writes to, so that writers do not wait for each other.
create table coverage_days (
    topic_id bigint not null,
    day date not null,
    stripe smallint not null,
    -- Stories that began on that day and are tagged with the topic itself.
    begun_count integer not null default 0,
    article_count integer not null default 0,
    report_count integer not null default 0,
    bias_counts integer[] not null default '{0,0,0,0,0,0,0}',
    factuality_counts integer[] not null default '{0,0,0,0,0}',
    ownership_counts integer[] not null default '{0,0,0,0,0,0,0,0}',
    primary key (topic_id, day, stripe)
) with (fillfactor = 80);

-- Of the same by the hour: what a timeline shows.
create table coverage_hours (
    topic_id bigint not null,
    hour timestamptz not null,
    stripe smallint not null,
    article_count integer not null default 0,
    left_count integer not null default 0,
    center_count integer not null default 0,
    right_count integer not null default 0,
    unrated_count integer not null default 0,
    primary key (topic_id, hour, stripe)
) with (fillfactor = 80);

-- Of the stories of each topic, and of the topics under it, by outlet: what the windows of one topic count outlets with. What a day
-- has is the sum of its parts: each statement that counts adds one, which holds all outlets that it counted anything of.
create table coverage_outlets (
    topic_id bigint not null,
    day date not null,
    part bigint generated always as identity,
    outlet_ids bigint[] not null,
    report_counts integer[] not null,
    article_counts integer[] not null,
    primary key (topic_id, day, part)
);

-- So many articles, or reports of an outlet that is rated so, more of a story. There is no outlet where only its ratings changed.
create type coverage_change as (
    story_id bigint, at timestamptz, articles integer, reports integer, outlet_id bigint,
    bias bias, factuality factuality, ownership ownership_category
);

create function utc_day(timestamptz) returns date
    language sql immutable parallel safe
    return ($1 at time zone 'UTC')::date;

-- A stripe that no other transaction holds, held until the end of this one. Where all are held, it waits for the last.
create function own_stripe() returns integer
    language plpgsql as
$$
declare
    last constant integer := 31;
begin
    for stripe in 0 .. last - 1 loop
        if pg_try_advisory_xact_lock(hashtext('parallax.coverage_days'), stripe) then
            return stripe;
        end if;
    end loop;
    perform pg_advisory_xact_lock(hashtext('parallax.coverage_days'), last);
    return last;
end;
$$;

-- Where the others are a quarter of the largest part of a day, all become one; where there are many all the same, all but the largest do.
-- So a count is read about once, and not written anew each time. While a transaction that joined parts is open, others add to what
-- there is: they would find its parts as they were, and want to join them again. Sixteen locks are for all topics and days, since
-- a transaction may join thousands, and room for locks is little.
create function join_coverage_parts(topic bigint, of_day date) returns void
    language plpgsql as
$$
declare
    few constant integer := 4;
    many constant integer := 32;
    n integer;
    largest integer;
    grown boolean;
begin
    select count(*), max(pg_column_size(outlet_ids)), sum(pg_column_size(outlet_ids)) >= 1.25 * max(pg_column_size(outlet_ids))
    into n, largest, grown
    from coverage_outlets
    where topic_id = topic and day = of_day;
    if n < few or (n < many and not grown) then
        return;
    elsif not pg_try_advisory_xact_lock(hashtext('parallax.coverage_outlets'), hashtext(topic || ' ' || of_day) & 15) then
        return;
    end if;
    with parts as (
        delete from coverage_outlets
        where topic_id = topic and day = of_day and (grown or pg_column_size(outlet_ids) < largest)
        returning outlet_ids, report_counts, article_counts
    )
    insert into coverage_outlets (topic_id, day, outlet_ids, report_counts, article_counts)
    select topic, of_day, array_agg(e.outlet_id), array_agg(e.reports), array_agg(e.articles)
    from (
        select u.outlet_id, sum(u.reports) as reports, sum(u.articles) as articles
        from (
            select unnest(outlet_ids) as outlet_id, unnest(report_counts) as reports, unnest(article_counts) as articles from parts
        ) u
        group by u.outlet_id
        having sum(u.reports) <> 0 or sum(u.articles) <> 0
        order by u.outlet_id
    ) e
    having count(*) > 0;
end;
$$;

-- Counts changes by outlet in the pairs of story and topic. One plan serves a single article and a batch of thousands: it must not look
-- through all of the one for each of the other, nor through a table that was small when it was made.
create function count_coverage_outlets(changes coverage_change[], story_ids bigint[], topic_ids bigint[]) returns void
    language plpgsql set plan_cache_mode = force_generic_plan set enable_nestloop = off set enable_seqscan = off as
$$
declare
    added record;
begin
    for added in
        insert into coverage_outlets (topic_id, day, outlet_ids, report_counts, article_counts)
        select e.topic_id, e.day, array_agg(e.outlet_id), array_agg(e.reports), array_agg(e.articles)
        from (
            select t.topic_id, utc_day(c.at) as day, c.outlet_id, sum(c.reports) as reports, sum(c.articles) as articles
            from unnest(changes) c
            join unnest(story_ids, topic_ids) t (story_id, topic_id) on t.story_id = c.story_id
            where c.outlet_id is not null
            group by t.topic_id, day, c.outlet_id
            having sum(c.reports) <> 0 or sum(c.articles) <> 0
        ) e
        group by e.topic_id, e.day
        returning topic_id, day
    loop
        perform join_coverage_parts(added.topic_id, added.day);
    end loop;
end;
$$;

-- Counts changes in the pairs of story and topic; where none are given, in all, and in the topics that the stories have now.
create function count_coverage(changes coverage_change[], story_ids bigint[] default null, topic_ids bigint[] default null) returns void
    language plpgsql as
$$
declare
    own constant integer := own_stripe();
    of_all constant boolean := topic_ids is null;
begin
    if changes is null then
        return;
    end if;
    if of_all then
        select array_agg(f.story_id), array_agg(f.value) into story_ids, topic_ids
        from story_facets f
        where f.facet = 'TOPIC' and f.story_id = any (array(select distinct c.story_id from unnest(changes) c));
    end if;
    perform count_coverage_outlets(changes, story_ids, topic_ids);
    with by_story as materialized (
        select c.story_id, date_trunc('hour', c.at, 'UTC') as hour, sum(c.articles) as articles, sum(c.reports) as reports,
            array[
                coalesce(sum(c.reports) filter (where c.bias = 'FAR_LEFT'), 0), coalesce(sum(c.reports) filter (where c.bias = 'LEFT'), 0),
                coalesce(sum(c.reports) filter (where c.bias = 'LEAN_LEFT'), 0), coalesce(sum(c.reports) filter (where c.bias = 'CENTER'), 0),
                coalesce(sum(c.reports) filter (where c.bias = 'LEAN_RIGHT'), 0), coalesce(sum(c.reports) filter (where c.bias = 'RIGHT'), 0),
                coalesce(sum(c.reports) filter (where c.bias = 'FAR_RIGHT'), 0)
            ]::integer[] as bias_counts,
            array[
                coalesce(sum(c.reports) filter (where c.factuality = 'VERY_LOW'), 0), coalesce(sum(c.reports) filter (where c.factuality = 'LOW'), 0),
                coalesce(sum(c.reports) filter (where c.factuality = 'MIXED'), 0), coalesce(sum(c.reports) filter (where c.factuality = 'HIGH'), 0),
                coalesce(sum(c.reports) filter (where c.factuality = 'VERY_HIGH'), 0)
            ]::integer[] as factuality_counts,
            array[
                coalesce(sum(c.reports) filter (where c.ownership = 'INDEPENDENT'), 0), coalesce(sum(c.reports) filter (where c.ownership = 'MEDIA_CONGLOMERATE'), 0),
                coalesce(sum(c.reports) filter (where c.ownership = 'CORPORATION'), 0), coalesce(sum(c.reports) filter (where c.ownership = 'PRIVATE_EQUITY'), 0),
                coalesce(sum(c.reports) filter (where c.ownership = 'TELECOM'), 0), coalesce(sum(c.reports) filter (where c.ownership = 'BILLIONAIRE'), 0),
                coalesce(sum(c.reports) filter (where c.ownership = 'GOVERNMENT'), 0), coalesce(sum(c.reports) filter (where c.ownership = 'OTHER'), 0)
            ]::integer[] as ownership_counts
        from unnest(changes) c
        group by c.story_id, hour
    ),
    by_topic as (
        select 0 as topic, s.* from by_story s where of_all
        union all
        select t.topic_id, s.* from by_story s join unnest(story_ids, topic_ids) t (story_id, topic_id) on t.story_id = s.story_id
    ),
    by_hour as materialized (
        select e.topic, e.hour, sum(e.articles) as articles, sum(e.reports) as reports,
            array[sum(e.bias_counts[1]), sum(e.bias_counts[2]), sum(e.bias_counts[3]), sum(e.bias_counts[4]), sum(e.bias_counts[5]), sum(e.bias_counts[6]), sum(e.bias_counts[7])] as bias_counts,
            array[sum(e.factuality_counts[1]), sum(e.factuality_counts[2]), sum(e.factuality_counts[3]), sum(e.factuality_counts[4]), sum(e.factuality_counts[5])] as factuality_counts,
            array[sum(e.ownership_counts[1]), sum(e.ownership_counts[2]), sum(e.ownership_counts[3]), sum(e.ownership_counts[4]), sum(e.ownership_counts[5]), sum(e.ownership_counts[6]), sum(e.ownership_counts[7]), sum(e.ownership_counts[8])] as ownership_counts
        from by_topic e
        group by e.topic, e.hour
    ),
    hours as (
        insert into coverage_hours as h
            (topic_id, hour, stripe, article_count, left_count, center_count, right_count, unrated_count)
        select e.topic, e.hour, own, e.articles, e.bias_counts[1] + e.bias_counts[2] + e.bias_counts[3], e.bias_counts[4],
            e.bias_counts[5] + e.bias_counts[6] + e.bias_counts[7], e.reports - (select sum(n) from unnest(e.bias_counts) n)
        from by_hour e
        order by e.topic, e.hour
        on conflict (topic_id, hour, stripe) do update
        set article_count = h.article_count + excluded.article_count,
            left_count = h.left_count + excluded.left_count,
            center_count = h.center_count + excluded.center_count,
            right_count = h.right_count + excluded.right_count,
            unrated_count = h.unrated_count + excluded.unrated_count
    )
    insert into coverage_days as c
        (topic_id, day, stripe, article_count, report_count, bias_counts, factuality_counts, ownership_counts)
    select e.topic, utc_day(e.hour) as day, own, sum(e.articles), sum(e.reports),
        array[sum(e.bias_counts[1]), sum(e.bias_counts[2]), sum(e.bias_counts[3]), sum(e.bias_counts[4]), sum(e.bias_counts[5]), sum(e.bias_counts[6]), sum(e.bias_counts[7])],
        array[sum(e.factuality_counts[1]), sum(e.factuality_counts[2]), sum(e.factuality_counts[3]), sum(e.factuality_counts[4]), sum(e.factuality_counts[5])],
        array[sum(e.ownership_counts[1]), sum(e.ownership_counts[2]), sum(e.ownership_counts[3]), sum(e.ownership_counts[4]), sum(e.ownership_counts[5]), sum(e.ownership_counts[6]), sum(e.ownership_counts[7]), sum(e.ownership_counts[8])]
    from by_hour e
    group by e.topic, day
    order by e.topic, day
    on conflict (topic_id, day, stripe) do update
    set article_count = c.article_count + excluded.article_count,
        report_count = c.report_count + excluded.report_count,
        bias_counts = array[
            c.bias_counts[1] + excluded.bias_counts[1], c.bias_counts[2] + excluded.bias_counts[2], c.bias_counts[3] + excluded.bias_counts[3],
            c.bias_counts[4] + excluded.bias_counts[4], c.bias_counts[5] + excluded.bias_counts[5], c.bias_counts[6] + excluded.bias_counts[6],
            c.bias_counts[7] + excluded.bias_counts[7]
        ],
        factuality_counts = array[
            c.factuality_counts[1] + excluded.factuality_counts[1], c.factuality_counts[2] + excluded.factuality_counts[2], c.factuality_counts[3] + excluded.factuality_counts[3],
            c.factuality_counts[4] + excluded.factuality_counts[4], c.factuality_counts[5] + excluded.factuality_counts[5]
        ],
        ownership_counts = array[
            c.ownership_counts[1] + excluded.ownership_counts[1], c.ownership_counts[2] + excluded.ownership_counts[2], c.ownership_counts[3] + excluded.ownership_counts[3],
            c.ownership_counts[4] + excluded.ownership_counts[4], c.ownership_counts[5] + excluded.ownership_counts[5], c.ownership_counts[6] + excluded.ownership_counts[6],
            c.ownership_counts[7] + excluded.ownership_counts[7], c.ownership_counts[8] + excluded.ownership_counts[8]
        ];
end;
$$;

-- Reports by the time of their first article and the ratings of their outlets.
create function reports_counted() returns trigger
    language plpgsql as
$$
begin
    if tg_op = 'INSERT' then
        perform count_coverage(array_agg((r.story_id, r.first_published_at, 0, 1, r.outlet_id, o.bias, o.factuality, o.ownership)::coverage_change))
        from new_rows r join outlets o on o.id = r.outlet_id;
    elsif tg_op = 'DELETE' then
        perform count_coverage(array_agg((r.story_id, r.first_published_at, 0, -1, r.outlet_id, o.bias, o.factuality, o.ownership)::coverage_change))
        from old_rows r join outlets o on o.id = r.outlet_id;
    else
        perform count_coverage(array_agg((r.story_id, m.at, 0, m.n, r.outlet_id, o.bias, o.factuality, o.ownership)::coverage_change))
        from old_rows r
        join new_rows n on n.story_id = r.story_id and n.outlet_id = r.outlet_id
        join outlets o on o.id = r.outlet_id
        cross join lateral (values (r.first_published_at, -1), (n.first_published_at, 1)) m (at, n)
        where r.first_published_at <> n.first_published_at;
    end if;
    return null;
end;
$$;

create trigger reports_counted_inserted after insert on reports
    referencing new table as new_rows for each statement execute function reports_counted();
create trigger reports_counted_updated after update on reports
    referencing old table as old_rows new table as new_rows for each statement execute function reports_counted();
create trigger reports_counted_deleted after delete on reports
    referencing old table as old_rows for each statement execute function reports_counted();

-- All that a story has counts in a topic that it comes to, and no longer in one that it leaves.
create function facets_counted() returns trigger
    language plpgsql as
$$
declare
    story_ids bigint[];
    topic_ids bigint[];
    n constant integer := case tg_op when 'INSERT' then 1 else -1 end;
begin
    if tg_op = 'INSERT' then
        select array_agg(story_id), array_agg(value) into story_ids, topic_ids from new_rows where facet = 'TOPIC';
    else
        select array_agg(story_id), array_agg(value) into story_ids, topic_ids from old_rows where facet = 'TOPIC';
    end if;
    if story_ids is not null then
        perform count_coverage(array_agg(e.change), story_ids, topic_ids)
        from (
            select (r.story_id, r.first_published_at, 0, n, r.outlet_id, o.bias, o.factuality, o.ownership)::coverage_change as change
            from reports r join outlets o on o.id = r.outlet_id
            where r.story_id = any (story_ids)
            union all
            select (a.story_id, a.published_at, n, 0, a.outlet_id, null, null, null)::coverage_change from articles a where a.story_id = any (story_ids)
        ) e;
    end if;
    return null;
end;
$$;

create trigger facets_counted_inserted after insert on story_facets
    referencing new table as new_rows for each statement execute function facets_counted();
create trigger facets_counted_deleted after delete on story_facets
    referencing old table as old_rows for each statement execute function facets_counted();

-- Every report of an outlet moves with its ratings.
create function ratings_counted() returns trigger
    language plpgsql as
$$
begin
    perform count_coverage(array_agg((r.story_id, r.first_published_at, 0, m.n, null, m.bias, m.factuality, m.ownership)::coverage_change))
    from old_rows b
    join new_rows a on a.id = b.id
    cross join lateral (values (b.bias, b.factuality, b.ownership, -1), (a.bias, a.factuality, a.ownership, 1)) m (bias, factuality, ownership, n)
    join reports r on r.outlet_id = a.id
    where (b.bias, b.factuality, b.ownership) is distinct from (a.bias, a.factuality, a.ownership);
    return null;
end;
$$;

create trigger ratings_counted after update on outlets
    referencing old table as old_rows new table as new_rows for each statement execute function ratings_counted();

-- Adds n to the stories that began on a day and are tagged with a topic.
create function count_begun(topic_ids bigint[], days date[], n integer[]) returns void
    language plpgsql as
$$
declare
    own constant integer := own_stripe();
begin
    insert into coverage_days as c (topic_id, day, stripe, begun_count)
    select u.topic_id, u.day, own, sum(u.n)
    from unnest(topic_ids, days, n) u (topic_id, day, n)
    group by u.topic_id, u.day
    having sum(u.n) <> 0
    order by u.topic_id, u.day
    on conflict (topic_id, day, stripe) do update set begun_count = c.begun_count + excluded.begun_count;
end;
$$;
