select to_json(d) from (
    select (
        select x from (
            select 'outlet_' || o.id as id, o.name, o.domain, o.country, o.bias, o.medium,
                (
                    select c from (
                        select array(
                            select n from (
                                select 'article_' || a.id as id, a.title, a.published_at as "publishedAt",
                                    (
                                        select w from (
                                            select 'story_' || s.id as id, s.slug, s.title,
                                                (
                                                    select c from (
                                                        select (
                                                            select b from (
                                                                select (select n from (select s.left_count as count) n) as left,
                                                                    (select n from (select s.center_count as count) n) as center,
                                                                    (select n from (select s.right_count as count) n) as right
                                                            ) b
                                                        ) as bias
                                                    ) c
                                                ) as coverage
                                        ) w
                                    ) as story
                                from articles a join stories s on s.id = a.story_id
                                where a.outlet_id = o.id
                                order by a.published_at desc, a.id desc limit 20
                            ) n
                        ) as nodes
                    ) c
                ) as articles
            from outlets o
            where o.slug = $1
        ) x
    ) as outlet
) d
