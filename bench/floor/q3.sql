select to_json(d) from (
    select (
        select x from (
            select array(
                select n from (
                    select 'story_' || s.id as id, s.slug, s.title,
                        (
                            select c from (
                                select s.outlet_count as "outletCount",
                                    (
                                        select b from (
                                            select (select n from (select s.left_count as count) n) as left,
                                                (select n from (select s.center_count as count) n) as center,
                                                (select n from (select s.right_count as count) n) as right
                                        ) b
                                    ) as bias
                            ) c
                        ) as coverage
                    from stories s
                    where s.article_count > 0 and s.blindspot = 'LEFT'
                    order by s.last_published_at desc, s.id desc limit 20
                ) n
            ) as nodes
        ) x
    ) as stories
) d
