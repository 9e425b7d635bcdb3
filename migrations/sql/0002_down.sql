drop table usage_days, usage_batches, access_log, api_keys, tiers, access_generation cascade;
drop function access_changed, access_logged, access_log_kept, access_not_truncated, anonymous_tier_kept;
