-- The figures: what is kept from the model, by the writing transaction itself, whoever writes.

-- Rules, version 1 ------------------------------------------------------------------------------------

-- The sum of an array's whole numbers.
create function total(integer[]) returns integer
    language sql immutable parallel safe
    return (select coalesce(sum(n), 0)::integer from unnest($1) n);

-- Whole percents that add up to 100, by largest remainder, a tie to the earlier entry; all 0 where nothing is counted.
create function percents(counts integer[]) returns integer[]
    language sql immutable parallel safe
begin atomic
    select array_agg(whole + case when place <= missing then 1 else 0 end order by entry)
    from (
        select entry, whole, row_number() over (order by remainder desc, entry) as place,
            case when sum(whole) over () = 0 and sum(remainder) over () = 0 then 0 else 100 - sum(whole) over () end as missing
        from (
            select entry,
                coalesce(n::bigint * 100 / nullif(total(counts), 0), 0)::integer as whole,
                coalesce(n::bigint * 100 % nullif(total(counts), 0), 0) as remainder
            from unnest(counts) with ordinality as c (n, entry)
        ) parts
    ) ranked;
end;

-- The seven points folded into left, center, right.
create function side_counts(points integer[]) returns integer[]
    language sql immutable parallel safe
    return array[points[1] + points[2] + points[3], points[4], points[5] + points[6] + points[7]];

-- The mean of the rated reports' points, -3 to 3; null where none is rated.
create function bias_mean(points integer[]) returns double precision
    language sql immutable parallel safe
    return (-3 * points[1] - 2 * points[2] - points[3] + points[5] + 2 * points[6] + 3 * points[7])::double precision
        / nullif(points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7], 0);

-- The side that is missing: of n >= 5 rated reports at most 20 % are its own, at least 35 % and twice as many the other's.
create function blindspot(points integer[]) returns side
    language sql immutable parallel safe
    return case
        when points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7] < 5 then null
        when 5 * (points[1] + points[2] + points[3])
                <= points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7]
            and 20 * (points[5] + points[6] + points[7])
                >= 7 * (points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7])
            and points[5] + points[6] + points[7] >= 2 * (points[1] + points[2] + points[3]) then 'LEFT'::side
        when 5 * (points[5] + points[6] + points[7])
                <= points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7]
            and 20 * (points[1] + points[2] + points[3])
                >= 7 * (points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7])
            and points[1] + points[2] + points[3] >= 2 * (points[5] + points[6] + points[7]) then 'RIGHT'::side
    end;

-- The side with strictly the most reports; null on a tie.
create function leading_side(points integer[]) returns side
    language sql immutable parallel safe
    return case
        when points[1] + points[2] + points[3] > greatest(points[4], points[5] + points[6] + points[7]) then 'LEFT'::side
        when points[4] > greatest(points[1] + points[2] + points[3], points[5] + points[6] + points[7]) then 'CENTER'::side
        when points[5] + points[6] + points[7] > greatest(points[1] + points[2] + points[3], points[4]) then 'RIGHT'::side
    end;

-- Nearest whole point of a mean bias, a tie going toward the center.
create function bias_of(score double precision) returns bias
    language sql immutable parallel safe strict
    return (enum_range(null::bias))[4 + (sign(score) * ceil(abs(score) - 0.5))::integer];

-- Nearest level of a mean factuality, a tie going to the lower.
create function factuality_of(score double precision) returns factuality
    language sql immutable parallel safe strict
    return (enum_range(null::factuality))[ceil(score - 0.5)::integer];

-- log2 of the sum of 2^x, whatever the size of x: each article gives 2^(seconds since 1970 / 6 h), far above any double.
-- Parts 2^1000 below the greatest cannot show in a double, and power() refuses to underflow.
create function log2_sum(double precision[]) returns double precision
    language sql immutable parallel safe
begin atomic
    select greatest_one + ln(sum(power(2::double precision, greatest(x - greatest_one, -1000)) order by x)) / ln(2::double precision)
    from unnest($1) x, (select max(y) as greatest_one from unnest($1) y) m
    group by greatest_one;
end;

-- A country as the number that facets hold: its two letters in base 256.
create function country_number(text) returns bigint
    language sql immutable parallel safe strict
    return ascii($1) * 256 + ascii(substr($1, 2));

-- Steps -------------------------------------------------------------------------------------------------
-- Coarse steps of keys that ranges are asked of: an index that has a step before the keys of an order gives the rows of a
-- range in that order, step by step.

create function range_step(timestamptz) returns timestamptz
    language sql immutable parallel safe strict
    return date_bin(interval '6 hours', $1, '2000-01-01+00'::timestamptz);

-- The steps of a half-open range of time; null where they are too many to be looked at one by one.
create function range_steps(timestamptz, timestamptz) returns timestamptz[]
    language sql immutable parallel safe
    return case
        when $2 <= $1 then '{}'::timestamptz[]
        when $2 - $1 < interval '3000 hours'
            then array(
                select range_step($1) + n * interval '6 hours'
                from generate_series(0, (extract(epoch from range_step($2 - interval '1 microsecond') - range_step($1)) / 21600)::integer) n
            )
    end;

-- There are many articles, so a range of time takes steps of two lengths: long blocks that lie within it (null where they are
-- too many), and short ones of what those leave at both ends.
create function long_blocks(timestamptz, timestamptz) returns bigint[]
    language sql immutable parallel safe
    return case
        when long_block($2) - long_block($1) < 1000
            then array(select generate_series(long_block($1) + 1, long_block($2) - 1))
    end;

create function short_blocks(timestamptz, timestamptz) returns bigint[]
    language sql immutable parallel safe
    return array(
        select generate_series(short_block($1), least(short_block($2), long_block($1) << 7 | 127))
        union all
        select generate_series(long_block($2) << 7, short_block($2)) where long_block($1) < long_block($2)
    );

-- The class of a story's size, by its outlets: each begins at half as many again, or a third.
create function size_class(integer) returns integer
    language sql immutable parallel safe strict
    return width_bucket($1, '{2,3,4,6,8,12,16,24,32,48,64,96,128,192,256,384,512,768,1024,2048,4096}'::integer[]);

-- The classes of stories with at least so many outlets.
create function size_classes(integer) returns integer[]
    language sql immutable parallel safe
    return array(select generate_series(size_class($1), 21));

-- Tables ----------------------------------------------------------------------------------------------

-- One outlet's coverage of one story: the heart. Every figure is a count of reports.
-- There are no foreign keys on what is derived: articles have them, and checking each again took a tenth of a load.
create table reports (
    story_id bigint not null,
    outlet_id bigint not null,
    article_count integer not null,
    first_article_id bigint not null,
    first_published_at timestamptz not null,
    last_published_at timestamptz not null,
    trend double precision not null,
    primary key (story_id, outlet_id)
);
-- What is included lets windows count reports without reading them.
create index reports_story_first on reports (story_id, first_published_at, first_article_id)
    include (outlet_id, article_count, last_published_at);
create index reports_outlet_first on reports (outlet_id, first_published_at, story_id);
create index reports_first on reports (first_published_at) include (outlet_id, story_id);

alter table stories
    add column article_count integer not null default 0,
    add column outlet_count integer not null default 0,
    add column bias_counts integer[] not null default '{0,0,0,0,0,0,0}',
    add column factuality_counts integer[] not null default '{0,0,0,0,0}',
    add column ownership_counts integer[] not null default '{0,0,0,0,0,0,0,0}',
    add column first_article_id bigint,
    add column first_published_at timestamptz,
    add column last_published_at timestamptz,
    add column last_reported_at timestamptz,
    add column trend double precision,
    add column computed_at timestamptz not null default now();
alter table stories
    add column left_count integer generated always as (bias_counts[1] + bias_counts[2] + bias_counts[3]) stored,
    add column center_count integer generated always as (bias_counts[4]) stored,
    add column right_count integer generated always as (bias_counts[5] + bias_counts[6] + bias_counts[7]) stored,
    add column rated_count integer generated always as
        (bias_counts[1] + bias_counts[2] + bias_counts[3] + bias_counts[4] + bias_counts[5] + bias_counts[6] + bias_counts[7]) stored,
    add column blindspot side generated always as (blindspot(bias_counts)) stored,
    add column leading_side side generated always as (leading_side(bias_counts)) stored;

-- A story shows once it has an article, and no longer when it has none: every index of a feed holds the shown ones only.
-- What is included lets windows count stories without reading them.
create index stories_latest on stories (last_published_at desc, id desc) include (first_published_at, last_reported_at, blindspot)
    where article_count > 0;
create index stories_newest on stories (first_published_at desc, last_published_at desc, id desc)
    include (last_reported_at, blindspot)
    where article_count > 0;
create index stories_counts on stories (id)
    include (
        first_published_at, last_published_at, last_reported_at, blindspot, article_count, outlet_count, bias_counts,
        factuality_counts, ownership_counts
    )
    where article_count > 0;
create index stories_most_covered on stories (outlet_count desc, last_published_at desc, id desc) where article_count > 0;
create index stories_trending on stories (trend desc, last_published_at desc, id desc) where article_count > 0;
create index stories_updated on stories (updated_at) where article_count > 0;
create index stories_search on stories using gin (search) where article_count > 0;
create index stories_blindspot_latest on stories (blindspot, last_published_at desc, id desc)
    where article_count > 0 and blindspot is not null;
create index stories_blindspot_newest on stories (blindspot, first_published_at desc, last_published_at desc, id desc)
    where article_count > 0 and blindspot is not null;
create index stories_blindspot_most_covered on stories (blindspot, outlet_count desc, last_published_at desc, id desc)
    where article_count > 0 and blindspot is not null;
create index stories_blindspot_trending on stories (blindspot, trend desc, last_published_at desc, id desc)
    where article_count > 0 and blindspot is not null;

create index stories_leading_side_most_covered on stories (leading_side, outlet_count desc, last_published_at desc, id desc)
    where article_count > 0 and leading_side is not null;

-- Ranges of one key in the order of another, by the steps of the first.
create index stories_updated_step_latest on stories (range_step(updated_at), last_published_at desc, id desc) where article_count > 0;
create index stories_updated_step_newest on stories (range_step(updated_at), first_published_at desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_updated_step_most_covered on stories (range_step(updated_at), outlet_count desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_updated_step_trending on stories (range_step(updated_at), trend desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_first_step_latest on stories (range_step(first_published_at), last_published_at desc, id desc) where article_count > 0;
create index stories_first_step_most_covered on stories (range_step(first_published_at), outlet_count desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_first_step_trending on stories (range_step(first_published_at), trend desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_last_step_newest on stories (range_step(last_published_at), first_published_at desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_last_step_most_covered on stories (range_step(last_published_at), outlet_count desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_last_step_trending on stories (range_step(last_published_at), trend desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_size_latest on stories (size_class(outlet_count), last_published_at desc, id desc) where article_count > 0;
create index stories_size_newest on stories (size_class(outlet_count), first_published_at desc, last_published_at desc, id desc)
    where article_count > 0;
create index stories_size_trending on stories (size_class(outlet_count), trend desc, last_published_at desc, id desc)
    where article_count > 0;

create index outlets_name on outlets (lower(name) collate "C", id);
create index outlets_most_articles on outlets (article_count desc, id desc);
create index outlets_left_to_right on outlets (bias, id);
create index outlets_right_to_left on outlets (bias desc nulls last, id desc);
create index outlets_country on outlets (country);

-- Reports (by the day of their first article) and articles (by their own day) of each outlet. A day is a UTC day.
create table outlet_days (
    day date not null,
    outlet_id bigint not null,
    report_count integer not null default 0,
    article_count integer not null default 0,
    primary key (outlet_id, day)
);
create index outlet_days_day on outlet_days (day);

-- Shown stories by what feeds ask for: topic (with all that it is under), place, outlet, country. The four keys follow the
-- story's own sort keys in coarse steps, so that a new article seldom rewrites them; a feed walks a key's index and orders
-- within a step by the story itself. A step never splits equal sort keys. Few stories have a blindspot: feeds of those find
-- them among the many of a topic.
create type facet as enum ('TOPIC', 'PLACE', 'OUTLET', 'COUNTRY');
create table story_facets (
    story_id bigint not null,
    value bigint not null,
    latest timestamptz not null,
    newest timestamptz not null,
    coverage integer not null,
    trending integer not null,
    facet facet not null,
    blindspot side,
    primary key (story_id, facet, value)
);
-- What is included lets windows look at all stories of a topic or a place at once.
create index story_facets_latest on story_facets (facet, value, latest desc) include (newest, story_id);
create index story_facets_newest on story_facets (facet, value, newest desc);
create index story_facets_most_covered on story_facets (facet, value, coverage desc, latest desc);
create index story_facets_trending on story_facets (facet, value, trending desc);
create index story_facets_blindspot_latest on story_facets (facet, value, blindspot, latest desc) where blindspot is not null;
create index story_facets_blindspot_newest on story_facets (facet, value, blindspot, newest desc) where blindspot is not null;
create index story_facets_blindspot_most_covered on story_facets (facet, value, blindspot, coverage desc, latest desc)
    where blindspot is not null;
create index story_facets_blindspot_trending on story_facets (facet, value, blindspot, trending desc)
    where blindspot is not null;

-- A story has many outlets and few of the rest, so its outlets' steps are the coarser ones.
create function time_step(facet, timestamptz) returns timestamptz
    language sql immutable parallel safe
    return date_bin(case when $1 = 'OUTLET'::facet then interval '24 hours' else interval '4 hours' end, $2, '2000-01-01+00'::timestamptz);

create function coverage_step(facet, integer) returns integer
    language sql immutable parallel safe
    return case when $1 <> 'OUTLET'::facet or $2 < 8 then $2 else floor(4 * ln($2::double precision) / ln(2::double precision))::integer - 4 end;

create function trend_step(facet, double precision) returns integer
    language sql immutable parallel safe
    return floor($2 / case when $1 = 'OUTLET'::facet then 4 else 1 end)::integer;
