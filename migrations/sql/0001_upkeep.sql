-- The upkeep of the figures: statement-level triggers call set-based functions, in the writer's own transaction.
-- Order of locks, for every writer: topics' parents, stories by id, outlets by id, then outlet_days by outlet and day.

-- Stories -----------------------------------------------------------------------------------------------

-- What follows from the given stories is this transaction's to write until its end. Holds off changes of topics' parents first, and
-- waits for one that is under way.
create function lock_stories(stories_changed bigint[]) returns void
    language plpgsql as
$$
begin
    lock table topic_ancestors in row exclusive mode;
    perform from stories where id = any (stories_changed) order by id for no key update;
end;
$$;

-- Coarse keys and presence of facets of the given stories, from topics, places and reports as they are now.
create function refresh_facets(stories_changed bigint[]) returns void
    language plpgsql as
$$
begin
    with wanted as (
        select s.id as story_id, f.facet, f.value,
            time_step(f.facet, s.last_published_at) as latest,
            time_step(f.facet, s.first_published_at) as newest,
            coverage_step(f.facet, s.outlet_count) as coverage,
            trend_step(f.facet, s.trend) as trending,
            s.blindspot
        from stories s
        cross join lateral (
            select 'TOPIC'::facet as facet, a.ancestor_id as value
            from story_topics t join topic_ancestors a on a.topic_id = t.topic_id where t.story_id = s.id
            group by a.ancestor_id
            union all
            select 'PLACE'::facet, p.place_id from story_places p where p.story_id = s.id
            union all
            select 'OUTLET'::facet, r.outlet_id from reports r where r.story_id = s.id
            union all
            select 'COUNTRY'::facet, country_number(o.country)
            from reports r join outlets o on o.id = r.outlet_id where r.story_id = s.id and o.country is not null
            group by o.country
        ) f
        where s.id = any (stories_changed) and s.article_count > 0
    ),
    gone as (
        delete from story_facets f
        where f.story_id = any (stories_changed)
            and not exists (
                select from wanted w where w.story_id = f.story_id and w.facet = f.facet and w.value = f.value
            )
    )
    insert into story_facets as f (story_id, facet, value, latest, newest, coverage, trending, blindspot)
    select w.story_id, w.facet, w.value, w.latest, w.newest, w.coverage, w.trending, w.blindspot
    from wanted w
    left join story_facets old on old.story_id = w.story_id and old.facet = w.facet and old.value = w.value
    where (old.latest, old.newest, old.coverage, old.trending, old.blindspot)
        is distinct from (w.latest, w.newest, w.coverage, w.trending, w.blindspot)
    on conflict (story_id, facet, value) do update
    set latest = excluded.latest, newest = excluded.newest, coverage = excluded.coverage, trending = excluded.trending,
        blindspot = excluded.blindspot;
end;
$$;

-- Counts of the given stories' reports, with all that follows from them. A story whose articles were written
-- (`written`) counts as changed even where no figure moved; one whose outlets were rated only where one did.
create function refresh_figures(stories_changed bigint[], written boolean) returns void
    language plpgsql as
$$
declare
    other_side bigint[];
    other_day bigint[];
    days_before date[];
    days_after date[];
begin
    with before as (
        select id, blindspot, utc_day(first_published_at) as day from stories where id = any (stories_changed)
    ),
    updated as (
        update stories s
        set article_count = f.article_count,
            outlet_count = f.outlet_count,
            bias_counts = f.bias_counts,
            factuality_counts = f.factuality_counts,
            ownership_counts = f.ownership_counts,
            first_article_id = f.first_article_id,
            first_published_at = f.first_published_at,
            last_published_at = f.last_published_at,
            last_reported_at = f.last_reported_at,
            trend = f.trend,
            computed_at = now(),
            updated_at = now()
        from (
            select i.story_id,
                coalesce(sum(r.article_count), 0)::integer as article_count,
                count(r.outlet_id)::integer as outlet_count,
                array[
                    count(*) filter (where o.bias = 'FAR_LEFT'), count(*) filter (where o.bias = 'LEFT'),
                    count(*) filter (where o.bias = 'LEAN_LEFT'), count(*) filter (where o.bias = 'CENTER'),
                    count(*) filter (where o.bias = 'LEAN_RIGHT'), count(*) filter (where o.bias = 'RIGHT'),
                    count(*) filter (where o.bias = 'FAR_RIGHT')
                ]::integer[] as bias_counts,
                array[
                    count(*) filter (where o.factuality = 'VERY_LOW'), count(*) filter (where o.factuality = 'LOW'),
                    count(*) filter (where o.factuality = 'MIXED'), count(*) filter (where o.factuality = 'HIGH'),
                    count(*) filter (where o.factuality = 'VERY_HIGH')
                ]::integer[] as factuality_counts,
                array[
                    count(*) filter (where o.ownership = 'INDEPENDENT'), count(*) filter (where o.ownership = 'MEDIA_CONGLOMERATE'),
                    count(*) filter (where o.ownership = 'CORPORATION'), count(*) filter (where o.ownership = 'PRIVATE_EQUITY'),
                    count(*) filter (where o.ownership = 'TELECOM'), count(*) filter (where o.ownership = 'BILLIONAIRE'),
                    count(*) filter (where o.ownership = 'GOVERNMENT'), count(*) filter (where o.ownership = 'OTHER')
                ]::integer[] as ownership_counts,
                (array_agg(r.first_article_id order by r.first_published_at, r.first_article_id))[1] as first_article_id,
                min(r.first_published_at) as first_published_at,
                max(r.last_published_at) as last_published_at,
                max(r.first_published_at) as last_reported_at,
                log2_sum(array_agg(r.trend) filter (where r.outlet_id is not null)) as trend
            from unnest(stories_changed) i (story_id)
            left join reports r on r.story_id = i.story_id
            left join outlets o on o.id = r.outlet_id
            group by i.story_id
        ) f
        where s.id = f.story_id
            and (
                written
                or (s.bias_counts, s.factuality_counts, s.ownership_counts)
                    is distinct from (f.bias_counts, f.factuality_counts, f.ownership_counts)
            )
        returning s.id, s.blindspot, utc_day(s.first_published_at) as day
    )
    select array_agg(u.id) filter (where u.blindspot is distinct from b.blindspot),
        array_agg(u.id) filter (where u.day is distinct from b.day),
        array_agg(b.day) filter (where u.day is distinct from b.day),
        array_agg(u.day) filter (where u.day is distinct from b.day)
    into other_side, other_day, days_before, days_after
    from updated u join before b on b.id = u.id;

    -- A story's facets tell its blindspot; those of a written one are made with it.
    if other_side is not null and not written then
        update story_facets f set blindspot = s.blindspot
        from stories s
        where s.id = any (other_side) and f.story_id = s.id and f.blindspot is distinct from s.blindspot;
    end if;
    if other_day is not null then
        perform count_begun(array_agg(t.topic_id), array_agg(d.day), array_agg(d.n))
        from unnest(other_day, days_before, days_after) m (story_id, before, after)
        join story_topics t on t.story_id = m.story_id
        cross join lateral (values (m.before, -1), (m.after, 1)) d (day, n)
        where d.day is not null;
    end if;
end;
$$;

-- All that follows from articles, for the pairs of story and outlet whose articles were written.
create function refresh_reports(story_ids bigint[], outlet_ids bigint[]) returns void
    language plpgsql as
$$
declare
    stories_changed constant bigint[] := array(select distinct s from unnest(story_ids) s order by s);
begin
    with pairs as (
        select distinct p.story_id, p.outlet_id from unnest(story_ids, outlet_ids) p (story_id, outlet_id)
    ),
    fresh as (
        select p.story_id, p.outlet_id, a.*
        from pairs p
        cross join lateral (
            select count(*)::integer as article_count,
                (array_agg(id order by published_at, id))[1] as first_article_id,
                min(published_at) as first_published_at,
                max(published_at) as last_published_at,
                case
                    when count(*) = 1 then min(extract(epoch from published_at))::double precision / 21600
                    else log2_sum(array_agg(extract(epoch from published_at)::double precision / 21600))
                end as trend
            from articles
            where story_id = p.story_id and outlet_id = p.outlet_id
        ) a
    ),
    gone as (
        delete from reports r using fresh f
        where f.article_count = 0 and r.story_id = f.story_id and r.outlet_id = f.outlet_id
    )
    insert into reports as r
        (story_id, outlet_id, article_count, first_article_id, first_published_at, last_published_at, trend)
    select story_id, outlet_id, article_count, first_article_id, first_published_at, last_published_at, trend
    from fresh
    where article_count > 0
    on conflict (story_id, outlet_id) do update
    set article_count = excluded.article_count,
        first_article_id = excluded.first_article_id,
        first_published_at = excluded.first_published_at,
        last_published_at = excluded.last_published_at,
        trend = excluded.trend
    where (r.article_count, r.first_article_id, r.first_published_at, r.last_published_at, r.trend)
        is distinct from
        (excluded.article_count, excluded.first_article_id, excluded.first_published_at, excluded.last_published_at, excluded.trend);

    perform refresh_figures(stories_changed, true);
    perform refresh_facets(stories_changed);
end;
$$;

-- The transition tables of a trigger are visible in its own function only, so each operation gathers its pairs here.
create function articles_written() returns trigger
    language plpgsql as
$$
declare
    story_ids bigint[];
    outlet_ids bigint[];
begin
    if tg_op = 'INSERT' then
        select array_agg(story_id), array_agg(outlet_id) into story_ids, outlet_ids from new_rows;
    elsif tg_op = 'DELETE' then
        select array_agg(story_id), array_agg(outlet_id) into story_ids, outlet_ids from old_rows;
    else
        with written as (
            select o.story_id as old_story, o.outlet_id as old_outlet, n.story_id, n.outlet_id
            from old_rows o join new_rows n on n.id = o.id
            where o is distinct from n
        )
        select array_agg(p.story_id), array_agg(p.outlet_id) into story_ids, outlet_ids
        from (select old_story as story_id, old_outlet as outlet_id from written union select story_id, outlet_id from written) p;
    end if;
    if story_ids is null then
        return null;
    end if;
    -- Locked first, so that what is read next is what every earlier writer of them left.
    perform lock_stories(array(select distinct s from unnest(story_ids) s));
    perform from outlets where id = any (outlet_ids) order by id for no key update;
    -- Counted in the topics that the stories have now: with one that comes, all that the story has by then is counted.
    if tg_op = 'INSERT' then
        perform count_coverage(array_agg((story_id, published_at, 1, 0, outlet_id, null, null, null)::coverage_change))
        from new_rows;
    elsif tg_op = 'DELETE' then
        perform count_coverage(array_agg((story_id, published_at, -1, 0, outlet_id, null, null, null)::coverage_change))
        from old_rows;
    else
        perform count_coverage(array_agg((m.story_id, m.at, m.n, 0, m.outlet_id, null, null, null)::coverage_change))
        from old_rows o
        join new_rows n on n.id = o.id
        cross join lateral (
            values (o.story_id, o.published_at, -1, o.outlet_id), (n.story_id, n.published_at, 1, n.outlet_id)
        ) m (story_id, at, n, outlet_id)
        where (o.story_id, o.published_at, o.outlet_id) is distinct from (n.story_id, n.published_at, n.outlet_id);
    end if;
    perform refresh_reports(story_ids, outlet_ids);
    if tg_op = 'INSERT' then
        perform count_articles(array_agg(outlet_id), array_agg(published_at), array_agg(1)) from new_rows;
    elsif tg_op = 'DELETE' then
        perform count_articles(array_agg(outlet_id), array_agg(published_at), array_agg(-1)) from old_rows;
    else
        perform count_articles(array_agg(outlet_id), array_agg(published_at), array_agg(n))
        from (
            select o.outlet_id, o.published_at, -1 as n from old_rows o join new_rows r on r.id = o.id
            where (o.outlet_id, o.published_at) is distinct from (r.outlet_id, r.published_at)
            union all
            select r.outlet_id, r.published_at, 1 from old_rows o join new_rows r on r.id = o.id
            where (o.outlet_id, o.published_at) is distinct from (r.outlet_id, r.published_at)
        ) moved;
    end if;
    return null;
end;
$$;

-- Adds n to the articles of each outlet and of its UTC day.
create function count_articles(outlet_ids bigint[], times timestamptz[], n integer[]) returns void
    language plpgsql as
$$
begin
    update outlets o
    set article_count = o.article_count + d.n
    from (select u.outlet_id, sum(u.n) as n from unnest(outlet_ids, n) u (outlet_id, n) group by u.outlet_id) d
    where o.id = d.outlet_id and d.n <> 0;

    insert into outlet_days as o (day, outlet_id, article_count)
    select (u.time at time zone 'UTC')::date as day, u.outlet_id, sum(u.n)
    from unnest(outlet_ids, times, n) u (outlet_id, time, n)
    group by u.outlet_id, day
    having sum(u.n) <> 0
    order by u.outlet_id, day
    on conflict (outlet_id, day) do update set article_count = o.article_count + excluded.article_count;
end;
$$;

create trigger articles_inserted after insert on articles
    referencing new table as new_rows for each statement execute function articles_written();
create trigger articles_updated after update on articles
    referencing old table as old_rows new table as new_rows for each statement execute function articles_written();
create trigger articles_deleted after delete on articles
    referencing old table as old_rows for each statement execute function articles_written();

-- Truncating stories or outlets comes by here too: articles refer to them.
create function articles_truncated() returns trigger
    language plpgsql as
$$
begin
    truncate reports, story_facets, outlet_days;
    update outlets set article_count = 0 where article_count <> 0;
    update topics set story_count = 0 where story_count <> 0;
    update places set story_count = 0 where story_count <> 0;
    perform refresh_figures(array(select id from stories where article_count > 0 order by id), true);
    truncate coverage_days, coverage_hours, coverage_outlets;
    return null;
end;
$$;

create trigger articles_truncated after truncate on articles
    for each statement execute function articles_truncated();

-- Reports of each outlet and day of their first article.
create function reports_written() returns trigger
    language plpgsql as
$$
begin
    if tg_op = 'INSERT' then
        perform count_reports(array_agg(outlet_id), array_agg(first_published_at), array_agg(1)) from new_rows;
    elsif tg_op = 'DELETE' then
        perform count_reports(array_agg(outlet_id), array_agg(first_published_at), array_agg(-1)) from old_rows;
    else
        perform count_reports(array_agg(outlet_id), array_agg(first_published_at), array_agg(n))
        from (
            select outlet_id, first_published_at, -1 as n from old_rows
            union all
            select outlet_id, first_published_at, 1 from new_rows
        ) moved;
    end if;
    return null;
end;
$$;

create function count_reports(outlet_ids bigint[], times timestamptz[], n integer[]) returns void
    language sql as
$$
    insert into outlet_days as o (day, outlet_id, report_count)
    select (u.time at time zone 'UTC')::date as day, u.outlet_id, sum(u.n)
    from unnest(outlet_ids, times, n) u (outlet_id, time, n)
    group by u.outlet_id, day
    having sum(u.n) <> 0
    order by u.outlet_id, day
    on conflict (outlet_id, day) do update set report_count = o.report_count + excluded.report_count;
$$;

create trigger reports_inserted after insert on reports
    referencing new table as new_rows for each statement execute function reports_written();
create trigger reports_updated after update on reports
    referencing old table as old_rows new table as new_rows for each statement execute function reports_written();
create trigger reports_deleted after delete on reports
    referencing old table as old_rows for each statement execute function reports_written();

-- How many shown stories a topic or place has: one row a story and value, so a sum of rows is a count of stories.
create function facets_written() returns trigger
    language plpgsql as
$$
begin
    if tg_op = 'INSERT' then
        update topics t set story_count = t.story_count + d.n
        from (select value, count(*) as n from new_rows where facet = 'TOPIC' group by value) d where t.id = d.value;
        update places p set story_count = p.story_count + d.n
        from (select value, count(*) as n from new_rows where facet = 'PLACE' group by value) d where p.id = d.value;
    else
        update topics t set story_count = t.story_count - d.n
        from (select value, count(*) as n from old_rows where facet = 'TOPIC' group by value) d where t.id = d.value;
        update places p set story_count = p.story_count - d.n
        from (select value, count(*) as n from old_rows where facet = 'PLACE' group by value) d where p.id = d.value;
    end if;
    return null;
end;
$$;

create trigger facets_inserted after insert on story_facets
    referencing new table as new_rows for each statement execute function facets_written();
create trigger facets_deleted after delete on story_facets
    referencing old table as old_rows for each statement execute function facets_written();

-- Own fields of stories and articles ------------------------------------------------------------------

-- When anything about the row changed; a statement that writes what is there already changes nothing.
create function touch_row() returns trigger
    language plpgsql as
$$
begin
    if tg_table_name = 'stories' then
        if (old.title, old.summary, old.key_points, old.image_url) is distinct from (new.title, new.summary, new.key_points, new.image_url) then
            new.updated_at := now();
        end if;
    elsif (old.outlet_id, old.story_id, old.published_at, old.kind, old.paywalled, old.language, old.url, old.title, old.excerpt, old.authors, old.image_url)
        is distinct from
        (new.outlet_id, new.story_id, new.published_at, new.kind, new.paywalled, new.language, new.url, new.title, new.excerpt, new.authors, new.image_url) then
        new.updated_at := now();
    end if;
    return new;
end;
$$;

create trigger stories_touched before update of title, summary, key_points, image_url on stories
    for each row execute function touch_row();
create trigger articles_touched before update on articles
    for each row execute function touch_row();

-- Topics, places and perspectives are a story's own fields, kept beside it.
create function story_parts_written() returns trigger
    language plpgsql as
$$
declare
    stories_changed bigint[];
begin
    if tg_op = 'INSERT' then
        stories_changed := array(select distinct story_id from new_rows order by story_id);
    elsif tg_op = 'DELETE' then
        stories_changed := array(select distinct story_id from old_rows order by story_id);
    else
        stories_changed := array(select story_id from old_rows union select story_id from new_rows order by story_id);
    end if;
    if cardinality(stories_changed) = 0 then
        return null;
    end if;
    perform lock_stories(stories_changed);
    if tg_table_name = 'story_topics' then
        if tg_op <> 'INSERT' then
            perform count_begun(array_agg(t.topic_id), array_agg(utc_day(s.first_published_at)), array_agg(-1))
            from old_rows t join stories s on s.id = t.story_id and s.article_count > 0;
        end if;
        if tg_op <> 'DELETE' then
            perform count_begun(array_agg(t.topic_id), array_agg(utc_day(s.first_published_at)), array_agg(1))
            from new_rows t join stories s on s.id = t.story_id and s.article_count > 0;
        end if;
    end if;
    update stories set updated_at = now() where id = any (stories_changed) and updated_at <> now();
    if tg_table_name <> 'perspectives' then
        perform refresh_facets(stories_changed);
    end if;
    return null;
end;
$$;

create trigger story_topics_inserted after insert on story_topics
    referencing new table as new_rows for each statement execute function story_parts_written();
create trigger story_topics_updated after update on story_topics
    referencing old table as old_rows new table as new_rows for each statement execute function story_parts_written();
create trigger story_topics_deleted after delete on story_topics
    referencing old table as old_rows for each statement execute function story_parts_written();
create trigger story_places_inserted after insert on story_places
    referencing new table as new_rows for each statement execute function story_parts_written();
create trigger story_places_updated after update on story_places
    referencing old table as old_rows new table as new_rows for each statement execute function story_parts_written();
create trigger story_places_deleted after delete on story_places
    referencing old table as old_rows for each statement execute function story_parts_written();
create trigger perspectives_inserted after insert on perspectives
    referencing new table as new_rows for each statement execute function story_parts_written();
create trigger perspectives_updated after update on perspectives
    referencing old table as old_rows new table as new_rows for each statement execute function story_parts_written();
create trigger perspectives_deleted after delete on perspectives
    referencing old table as old_rows for each statement execute function story_parts_written();

-- Topics under topics -----------------------------------------------------------------------------------

-- There are few topics and their parents seldom change, so the ancestors are made anew as a whole.
create function topics_written() returns trigger
    language plpgsql as
$$
declare
    moved bigint[];
    stories_changed bigint[];
begin
    if tg_op = 'UPDATE' then
        if not exists (
            select from old_rows o join new_rows n on n.id = o.id where o.parent_id is distinct from n.parent_id
        ) then
            return null;
        end if;
    end if;
    -- Two writers of parents at once would each make the ancestors without the other's change.
    lock table topic_ancestors in share row exclusive mode;
    with recursive wanted (topic_id, ancestor_id) as (
        select id, id from topics
        union
        select w.topic_id, t.parent_id from wanted w join topics t on t.id = w.ancestor_id where t.parent_id is not null
    ),
    gone as (
        delete from topic_ancestors a
        where not exists (select from wanted w where w.topic_id = a.topic_id and w.ancestor_id = a.ancestor_id)
        returning topic_id
    ),
    added as (
        insert into topic_ancestors select topic_id, ancestor_id from wanted
        on conflict do nothing
        returning topic_id
    )
    select array_agg(distinct topic_id) into moved from (select topic_id from gone union select topic_id from added) m;
    stories_changed := array(select distinct story_id from story_topics where topic_id = any (moved));
    perform lock_stories(stories_changed);
    perform refresh_facets(stories_changed);
    return null;
end;
$$;

create trigger topics_inserted after insert on topics
    referencing new table as new_rows for each statement execute function topics_written();
create trigger topics_updated after update on topics
    referencing old table as old_rows new table as new_rows for each statement execute function topics_written();

-- Consensus of ratings -----------------------------------------------------------------------------------

-- The consensus of the given outlets and, where it moved, every figure of every story that they report.
create function refresh_outlets(outlets_changed bigint[]) returns void
    language plpgsql as
$$
declare
    stories_changed bigint[];
begin
    -- A writer of articles locks their outlets too: it either waits for this one, or has committed and is read below.
    stories_changed := array(
        select distinct story_id from reports where outlet_id = any (outlets_changed) order by story_id
    );
    perform lock_stories(stories_changed);
    perform from outlets where id = any (outlets_changed) order by id for no key update;
    -- Those that the outlets took up meanwhile.
    stories_changed := array(select distinct story_id from reports where outlet_id = any (outlets_changed) order by story_id);
    perform lock_stories(stories_changed);
    update outlets o
    set bias = bias_of(c.bias_score), bias_score = c.bias_score,
        factuality = factuality_of(c.factuality_score), factuality_score = c.factuality_score,
        ownership = c.ownership
    from (
        select i.id,
            (select sum(array_position(enum_range(null::bias), r.bias) - 4)::double precision / count(r.bias)
             from ratings r where r.outlet_id = i.id and r.bias is not null) as bias_score,
            (select sum(array_position(enum_range(null::factuality), r.factuality))::double precision / count(r.factuality)
             from ratings r where r.outlet_id = i.id and r.factuality is not null) as factuality_score,
            (select w.category from owners w where w.outlet_id = i.id order by w.position limit 1) as ownership
        from unnest(outlets_changed) i (id)
    ) c
    where o.id = c.id
        and (o.bias_score, o.factuality_score, o.ownership) is distinct from (c.bias_score, c.factuality_score, c.ownership);
    perform refresh_figures(stories_changed, false);
end;
$$;

create function outlet_parts_written() returns trigger
    language plpgsql as
$$
declare
    outlets_changed bigint[];
begin
    if tg_op = 'INSERT' then
        outlets_changed := array(select distinct outlet_id from new_rows);
    elsif tg_op = 'DELETE' then
        outlets_changed := array(select distinct outlet_id from old_rows);
    else
        outlets_changed := array(select outlet_id from old_rows union select outlet_id from new_rows);
    end if;
    if cardinality(outlets_changed) > 0 then
        perform refresh_outlets(outlets_changed);
    end if;
    return null;
end;
$$;

create trigger ratings_inserted after insert on ratings
    referencing new table as new_rows for each statement execute function outlet_parts_written();
create trigger ratings_updated after update on ratings
    referencing old table as old_rows new table as new_rows for each statement execute function outlet_parts_written();
create trigger ratings_deleted after delete on ratings
    referencing old table as old_rows for each statement execute function outlet_parts_written();
create trigger owners_inserted after insert on owners
    referencing new table as new_rows for each statement execute function outlet_parts_written();
create trigger owners_updated after update on owners
    referencing old table as old_rows new table as new_rows for each statement execute function outlet_parts_written();
create trigger owners_deleted after delete on owners
    referencing old table as old_rows for each statement execute function outlet_parts_written();

-- A story is found by the countries of its outlets, and counts them. The outlets are locked already, so that a writer of
-- articles who has locked their stories may have to try again.
create function outlets_written() returns trigger
    language plpgsql as
$$
declare
    moved bigint[];
    stories_changed bigint[];
begin
    moved := array(select n.id from old_rows o join new_rows n on n.id = o.id where o.country is distinct from n.country);
    if cardinality(moved) > 0 then
        stories_changed := array(select distinct story_id from reports where outlet_id = any (moved) order by story_id);
        perform lock_stories(stories_changed);
        update stories set updated_at = now(), computed_at = now() where id = any (stories_changed);
        perform refresh_facets(stories_changed);
    end if;
    return null;
end;
$$;

create trigger outlets_updated after update on outlets
    referencing old table as old_rows new table as new_rows for each statement execute function outlets_written();

-- A story that was merged stands for what it went into, so a chain of merges is kept one step long.
create function stories_merged() returns trigger
    language plpgsql as
$$
begin
    update stories set merged_into = new.merged_into where merged_into = new.id;
    -- Its articles may have left before it was merged.
    update changes set kind = 'MERGED', merged_into_id = new.merged_into
    where story_id = new.id and xid = pg_current_xact_id() and kind = 'REMOVED';
    return null;
end;
$$;

create trigger stories_merged after update of merged_into on stories
    for each row when (new.merged_into is not null and new.merged_into is distinct from old.merged_into)
    execute function stories_merged();

-- Changes ------------------------------------------------------------------------------------------------

-- What readers are told: at most one row a story and transaction, for the net of what the transaction did to it.
create function stories_written() returns trigger
    language plpgsql as
$$
begin
    with events as (
        select n.id as story_id,
            case
                when o.article_count = 0 and n.article_count > 0 then 'CREATED'
                when o.article_count > 0 and n.article_count = 0 and n.merged_into is not null then 'MERGED'
                when o.article_count > 0 and n.article_count = 0 then 'REMOVED'
                else 'UPDATED'
            end::change_kind as kind,
            case when n.article_count = 0 then n.merged_into end as merged_into_id
        from old_rows o join new_rows n on n.id = o.id
        where (n.article_count > 0) <> (o.article_count > 0)
            or (n.article_count > 0 and n.updated_at <> o.updated_at)
    ),
    earlier as (
        delete from changes c using events e
        where c.story_id = e.story_id and c.xid = pg_current_xact_id() and e.kind <> 'UPDATED'
        returning c.story_id, c.kind
    )
    insert into changes (story_id, kind, merged_into_id)
    select e.story_id,
        case when e.kind = 'CREATED' and r.story_id is not null then 'UPDATED' else e.kind end,
        e.merged_into_id
    from events e
    left join earlier r on r.story_id = e.story_id and r.kind in ('REMOVED', 'MERGED', 'CREATED')
    where case
        when e.kind = 'UPDATED' then
            not exists (select from changes c where c.story_id = e.story_id and c.xid = pg_current_xact_id())
        else not (e.kind in ('REMOVED', 'MERGED') and r.kind is not distinct from 'CREATED')
    end
    order by e.story_id;
    return null;
end;
$$;

create trigger stories_updated after update on stories
    referencing old table as old_rows new table as new_rows for each statement execute function stories_written();
