drop function forget_changes, changes_since, change_feed, change_head, change_expired, change_position, change_cursor, database_identity;
drop function outlet_overlaps, window_timeline, window_buckets, topic_coverage, kept_coverage, edge_articles, edge_reports, topic_members, window_topic, window_topics, window_story_counts,
    window_stories, covering_outlets, window_outlet_count, edge_stories, window_ratings, window_counts, window_outlets, whole_hours, whole_days, nearest_days, window_spans, mostly_within,
    window_members;
drop function time_slices, outlets_query, related_stories, story_timeline, same_parent, list_cursor;
drop table changes_forgotten, reference_changes;
drop table coverage_days, coverage_hours, coverage_outlets, story_facets, outlet_days, reports, changes, articles, story_places, story_topics, perspectives, stories,
    ratings, owners, outlets, topic_ancestors, topics, places cascade;
drop function reports_counted, facets_counted, ratings_counted, count_begun, count_coverage, count_coverage_outlets, join_coverage_parts, own_stripe, utc_day;
drop function lock_stories, refresh_facets, refresh_figures, refresh_reports, articles_written, articles_truncated, count_articles, reports_written, count_reports,
    facets_written, touch_row, story_parts_written, topics_written, refresh_outlets, outlet_parts_written, outlets_written,
    stories_written, stories_merged, changes_announced, references_written;
drop function size_classes, size_class, range_steps, range_step, long_blocks, short_blocks;
drop function time_step, coverage_step, trend_step, country_number, log2_sum, factuality_of, bias_of, leading_side, blindspot,
    bias_mean, side_counts, percents, total, side_of, url_digest, joined, article_lexemes, outlet_lexeme, time_lexemes, long_block,
    short_block, time_block, searchable;
drop type coverage_change, facet, change_kind, article_kind, medium, ownership_category, factuality, side, bias;
