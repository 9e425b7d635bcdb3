select to_json(d) from (
    select (
        select x from (
            select s.title,
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
            from stories m join stories s on s.id = coalesce(m.merged_into, m.id)
            where m.slug = $1 and s.article_count > 0
        ) x
    ) as story
) d
