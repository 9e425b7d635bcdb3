-- What whoever runs the service asks about keys and tiers. None of it is asked while requests are answered.

-- name: sign
-- Has the log tell who makes the changes of this transaction; no other transaction of the connection is named so.
select set_config('application_name', $1, true);

-- name: keys
-- All keys, oldest first, with the keys that they replace.
select k.prefix, k.name, k.tier, k.created_at, k.not_before, k.expires_at, k.revoked_at, k.last_used_at, k.origins,
    k.networks::text[] as networks, r.prefix as replaces
from api_keys k left join api_keys r on r.id = k.replaces
order by k.id;

-- name: find_keys
-- The keys whose prefix begins so, locked, since one is about to be changed. It reads all keys: that is done by hand.
select id, prefix, expires_at, revoked_at, now() as at
from api_keys where starts_with(prefix, $1)
order by id limit 3 for update;

-- name: replacement
-- The key that has taken the place of one (api_keys_replaces).
select prefix from api_keys where replaces = $1;

-- name: create_key
-- Keeps a new key, unless another has its prefix: then nothing comes back.
insert into api_keys (prefix, digest, pepper, name, tier, not_before, expires_at, origins, networks)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[]::cidr[])
on conflict (prefix) do nothing returning prefix;

-- name: replace_key
-- Keeps a new key with all that holds for an old one, but for when it expires where that is told.
insert into api_keys (prefix, digest, pepper, name, tier, not_before, expires_at, origins, networks, replaces)
select $2, $3, $4, name, tier, not_before, coalesce($5, expires_at), origins, networks, id from api_keys where id = $1
on conflict (prefix) do nothing returning prefix;

-- name: expire_key
-- Has a key expire after so long, or when it would have anyway.
update api_keys set expires_at = least(expires_at, now() + $2) where id = $1 returning expires_at;

-- name: revoke_key
-- Revokes a key for good.
update api_keys set revoked_at = now() where id = $1;

-- name: tiers
-- All tiers by rank, with the number of keys of each that may still be used.
select t.*, (select count(*) from api_keys k
    where k.tier = t.name and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())) as key_count
from tiers t order by t.rank;

-- name: lock_tier
-- One tier, which is about to be changed.
select * from tiers where name = $1 for update;

-- name: put_tier
-- Makes a tier, or changes the one there is.
insert into tiers (name, rank, features, cost_per_minute, max_cost_per_request, max_page_size)
values ($1, $2, $3, $4, $5, $6)
on conflict (name) do update set rank = excluded.rank, features = excluded.features,
    cost_per_minute = excluded.cost_per_minute, max_cost_per_request = excluded.max_cost_per_request,
    max_page_size = excluded.max_page_size;

-- name: log
-- The latest entries of the log, newest first.
select at, role, application, subject, name, before, after from access_log order by id desc limit $1;

-- name: peppers
-- How many keys that may still be used are kept by this pepper, and how many by another.
select count(*) filter (where pepper = $1) as known, count(*) filter (where pepper <> $1) as foreign
from api_keys where revoked_at is null and (expires_at is null or expires_at > now());
