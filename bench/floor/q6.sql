select to_json(d) from (
    select (
        select x from (
            select array(
                select n from (
                    select 'story_' || s.id as id, s.slug, s.title, s.summary, s.key_points as "keyPoints",
                        s.image_url as "imageUrl", s.first_published_at as "firstPublishedAt",
                        s.last_published_at as "lastPublishedAt", s.updated_at as "updatedAt",
                        (
                            select c from (
                                select (
                                    select b from (
                                        select (select n from (select s.left_count as count) n) as left,
                                            (select n from (select s.center_count as count) n) as center,
                                            (select n from (select s.right_count as count) n) as right,
                                            s.outlet_count - s.rated_count as "unratedCount"
                                    ) b
                                ) as bias
                            ) c
                        ) as coverage,
                        (
                            select c from (
                                select array(
                                    select n from (
                                        select 'article_' || a.id as id, a.url, a.title, a.excerpt, a.authors, a.kind,
                                            a.language, a.image_url as "imageUrl", a.paywalled,
                                            a.published_at as "publishedAt", a.updated_at as "updatedAt",
                                            (
                                                select w from (
                                                    select 'outlet_' || o.id as id, o.slug, o.name, o.domain,
                                                        o.homepage_url as "homepageUrl", o.country, o.language, o.medium,
                                                        o.bias, o.bias_score as "biasScore", o.side
                                                ) w
                                            ) as outlet
                                        from articles a join outlets o on o.id = a.outlet_id
                                        where a.story_id = s.id
                                        order by a.published_at desc, a.id desc limit 20
                                    ) n
                                ) as nodes
                            ) c
                        ) as articles
                    from stories s
                    where s.article_count > 0
                    order by s.last_published_at desc, s.id desc limit 50
                ) n
            ) as nodes
        ) x
    ) as stories
) d
