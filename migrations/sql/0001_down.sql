drop function related_stories, story_timeline, same_parent, list_cursor;
drop table story_facets, outlet_days, reports, changes, articles, story_places, story_topics, perspectives, stories,
    ratings, owners, outlets, topic_ancestors, topics, places cascade;
drop function refresh_facets, refresh_figures, refresh_reports, articles_written, articles_truncated, count_articles, reports_written, count_reports,
    facets_written, touch_row, story_parts_written, topics_written, refresh_outlets, outlet_parts_written, outlets_written,
    stories_written, stories_merged;
drop function time_step, coverage_step, trend_step, country_number, log2_sum, factuality_of, bias_of, leading_side, blindspot,
    bias_mean, side_counts, percents, total, side_of, url_digest, joined, searchable;
drop type facet, change_kind, article_kind, medium, ownership_category, factuality, side, bias;
