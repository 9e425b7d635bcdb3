select to_json(d) from (
    select (
        select x from (
            select s.title, s.summary,
                array(
                    select t from story_topics p cross join lateral (select slug from topics where id = p.topic_id) t
                    where p.story_id = s.id order by p.position
                ) as topics,
                s.first_published_at as "firstPublishedAt", s.last_published_at as "lastPublishedAt",
                (
                    select c from (
                        select s.article_count as "articleCount", s.outlet_count as "outletCount",
                            (
                                select b from (
                                    select (select n from (select s.left_count as count) n) as left,
                                        (select n from (select s.center_count as count) n) as center,
                                        (select n from (select s.right_count as count) n) as right,
                                        s.outlet_count - s.rated_count as "unratedCount"
                                ) b
                            ) as bias,
                            (select b from (select s.blindspot as side) b where s.blindspot is not null) as blindspot
                    ) c
                ) as coverage,
                (
                    select c from (
                        select array(
                            select n from (
                                select 'article_' || a.id as id, a.title, a.excerpt, a.url, a.language,
                                    a.published_at as "publishedAt",
                                    (
                                        select w from (
                                            select 'outlet_' || o.id as id, o.slug, o.name, o.domain, o.country, o.bias, o.medium
                                        ) w
                                    ) as outlet
                                from articles a join outlets o on o.id = a.outlet_id
                                where a.story_id = s.id
                                order by a.published_at desc, a.id desc limit 24
                            ) n
                        ) as nodes
                    ) c
                ) as articles
            from stories m join stories s on s.id = coalesce(m.merged_into, m.id)
            where m.slug = $1 and s.article_count > 0
        ) x
    ) as story
) d
