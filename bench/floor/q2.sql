select to_json(d) from (
    select (
        select x from (
            select array(
                select n from (
                    select 'story_' || s.id as id, s.slug, s.title, s.summary, s.last_published_at as "lastPublishedAt",
                        (
                            select c from (
                                select s.outlet_count as "outletCount",
                                    (
                                        select b from (
                                            select (select n from (select s.left_count as count) n) as left,
                                                (select n from (select s.center_count as count) n) as center,
                                                (select n from (select s.right_count as count) n) as right
                                        ) b
                                    ) as bias,
                                    (select b from (select s.blindspot as side) b where s.blindspot is not null) as blindspot
                            ) c
                        ) as coverage,
                        (
                            select c from (
                                select array(
                                    select n from (
                                        select 'article_' || a.id as id, a.title, a.published_at as "publishedAt",
                                            (select w from (select o.name, o.bias) w) as outlet
                                        from articles a join outlets o on o.id = a.outlet_id
                                        where a.story_id = s.id
                                        order by a.published_at desc, a.id desc limit 3
                                    ) n
                                ) as nodes
                            ) c
                        ) as articles
                    from stories s
                    where s.article_count > 0
                    order by s.last_published_at desc, s.id desc limit 20
                ) n
            ) as nodes
        ) x
    ) as stories
) d
