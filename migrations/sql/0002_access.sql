-- Who may ask, how much, and what they may see. A change of any of it holds for all processes within seconds: they look
-- at `access_generation`, which every change renews. It is drawn by lot, since a replica that takes the place of a primary
-- might count on to a number that was there before.

create table access_generation (
    single boolean primary key default true check (single),
    generation uuid not null default gen_random_uuid()
);
insert into access_generation default values;

create table tiers (
    name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    rank integer not null unique,
    features text[] not null default '{}'
        check (features <@ array['FACTUALITY', 'OWNERSHIP', 'PERSPECTIVES', 'HISTORY', 'EXPORT']),
    cost_per_minute integer not null check (cost_per_minute between 1 and 1000000000),
    max_cost_per_request integer not null check (max_cost_per_request between 1 and cost_per_minute),
    max_page_size integer not null check (max_page_size between 1 and 1000)
);
comment on column tiers.rank is 'Of the tiers that include a feature, the one of least rank is named to who lacks it.';

create table api_keys (
    id bigint generated always as identity primary key,
    prefix text not null unique check (prefix ~ '^plx_[0-9A-Za-z]{8}$'),
    digest bytea not null unique check (length(digest) = 32),
    pepper bytea check (length(pepper) = 4),
    name text not null check (name ~ '\S' and name !~ '[[:cntrl:]]' and length(name) <= 200),
    tier text not null references tiers (name) on update cascade,
    created_at timestamptz not null default now(),
    not_before timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    origins text[] not null default '{}',
    networks cidr[] not null default '{}',
    replaces bigint references api_keys (id),
    -- What a process could not read would have it refuse all keys; `infinity` is no time for it either.
    constraint api_keys_times check (
        least(created_at, not_before, expires_at, revoked_at, last_used_at) >= '1970-01-01Z'
        and greatest(created_at, not_before, expires_at, revoked_at, last_used_at) < '9999-01-01Z'
    )
);
comment on column api_keys.digest is 'HMAC-SHA-256 of the key by the pepper; the key itself is kept nowhere.';
comment on column api_keys.pepper is 'A fingerprint of that pepper, null where it was not told.';
create index api_keys_tier on api_keys (tier);
-- A key is rotated once; the next time it is the one in its place.
create unique index api_keys_replaces on api_keys (replaces) where replaces is not null;

create table usage_days (
    key_id bigint not null references api_keys (id) on delete cascade,
    day date not null,
    request_count bigint not null,
    cost bigint not null,
    primary key (key_id, day)
);

-- Batches of usage that were written, for as long as a process may send one again of which it does not know that.
create table usage_batches (
    id uuid primary key,
    at timestamptz not null default now()
);
create index usage_batches_at on usage_batches (at);

create table access_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    role text not null default session_user,
    application text not null default current_setting('application_name'),
    subject text not null check (subject in ('key', 'tier')),
    name text not null,
    before jsonb,
    after jsonb
);
comment on table access_log is 'Every change of a key or a tier, whoever made it. Nothing in it is ever changed.';

create function access_changed() returns trigger language plpgsql as $$
begin
    update access_generation set generation = gen_random_uuid();
    return null;
end $$;

create function access_logged() returns trigger language plpgsql as $$
declare
    earlier jsonb;
    later jsonb;
begin
    if tg_op <> 'INSERT' then earlier := to_jsonb(old) - 'digest' - 'last_used_at'; end if;
    if tg_op <> 'DELETE' then later := to_jsonb(new) - 'digest' - 'last_used_at'; end if;
    insert into access_log (subject, name, before, after)
    values (tg_argv[0], coalesce(later, earlier) ->> tg_argv[1], earlier, later);
    return null;
end $$;

create function access_log_kept() returns trigger language plpgsql as $$
begin
    raise exception 'The log of keys and tiers is only added to.';
end $$;

create function access_not_truncated() returns trigger language plpgsql as $$
begin
    raise exception 'Keys and tiers are deleted row by row, so that the log tells of each.';
end $$;

create function anonymous_tier_kept() returns trigger language plpgsql as $$
begin
    raise exception 'The tier anonymous is that of callers without a key: it can be changed, and not removed.';
end $$;

-- When a key was last used is no change of it: `update of` leaves that column out.
create trigger logged after insert or delete or update of id, prefix, digest, pepper, name, tier, created_at,
    not_before, expires_at, revoked_at, origins, networks, replaces on api_keys
    for each row execute function access_logged('key', 'prefix');
create trigger logged after insert or update or delete on tiers
    for each row execute function access_logged('tier', 'name');
create trigger changed after insert or delete or update of id, prefix, digest, pepper, name, tier, created_at,
    not_before, expires_at, revoked_at, origins, networks, replaces on api_keys
    for each statement execute function access_changed();
create trigger changed after insert or update or delete on tiers
    for each statement execute function access_changed();
create trigger kept before update or delete or truncate on access_log
    for each statement execute function access_log_kept();

create trigger not_truncated before truncate on api_keys
    for each statement execute function access_not_truncated();
create trigger not_truncated before truncate on tiers
    for each statement execute function access_not_truncated();

create trigger kept before delete or update of name on tiers
    for each row when (old.name = 'anonymous') execute function anonymous_tier_kept();

insert into tiers (name, rank, features, cost_per_minute, max_cost_per_request, max_page_size) values
    ('anonymous', 0, '{}', 50000, 5000, 100),
    ('free', 10, '{}', 100000, 10000, 100),
    ('premium', 20, '{FACTUALITY,PERSPECTIVES}', 500000, 50000, 100),
    ('vantage', 30, '{FACTUALITY,OWNERSHIP,PERSPECTIVES,HISTORY,EXPORT}', 2500000, 100000, 1000);
