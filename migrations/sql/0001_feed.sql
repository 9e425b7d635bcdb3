-- The change feed: positions in it, how it is read, how long it is kept.
-- Its order is (xid, seq). A transaction may commit long after one that began later, so only what lies below the oldest
-- open transaction is read: nothing can come there any more.

-- How far the feed was forgotten. One row.
create table changes_forgotten (
    xid xid8 not null,
    seq bigint not null
);
insert into changes_forgotten values ('0', 0);

-- Transactions that changed what stories refer to (outlets with ratings and owners, topics, places), whatever stories those are.
create table reference_changes (
    xid xid8 primary key default pg_current_xact_id(),
    at timestamptz not null default now()
);

-- What tells this database from every other, also from a copy of it: positions and kept answers of another mean nothing here.
create function database_identity() returns text
    language sql stable
    return (
        select left(md5(c.system_identifier::text || ':' || d.oid::text), 8)
        from pg_control_system() c, pg_database d where d.datname = current_database()
    );

create function change_cursor(xid xid8, seq bigint) returns text
    language sql stable
    return list_cursor('changes', database_identity(), json_build_array(xid::text::bigint, seq));

-- The position that a cursor stands for. What is no cursor is refused (PLX01), one of another database has expired (PLX02).
create function change_position(given text, out xid xid8, out seq bigint)
    language plpgsql stable as
$$
declare
    payload text;
    parts text[];
begin
    begin
        payload := convert_from(decode(rpad(translate(given, '-_', '+/'), (length(given) + 3) / 4 * 4, '='), 'base64'), 'UTF8');
        parts := regexp_match(payload, '^([0-9a-f]{8})(changes:([0-9a-f]{8}):\[(\d{1,18}), (\d{1,18})\])$');
    exception when others then
        parts := null;
    end;
    if parts is null or left(md5(parts[2]), 8) <> parts[1] then
        raise exception '''after'' is not a cursor of changes.' using errcode = 'PLX01';
    end if;
    if parts[3] <> database_identity() then
        perform change_expired();
    end if;
    xid := parts[4]::xid8;
    seq := parts[5]::bigint;
end;
$$;

create function change_expired() returns void
    language plpgsql as
$$
begin
    raise exception 'The changes after this cursor are no longer kept. Start afresh: take `headCursor`, read everything that you need, then poll from it.'
        using errcode = 'PLX02';
end;
$$;

-- The newest position to read from: the last change below the oldest open transaction, or where the kept ones begin.
create function change_head(out xid xid8, out seq bigint)
    language sql stable as
$$
    select h.xid, h.seq
    from (
        (select c.xid, c.seq from changes c where c.xid < pg_snapshot_xmin(pg_current_snapshot()) order by c.xid desc, c.seq desc limit 1)
        union all
        select f.xid, f.seq from changes_forgotten f
    ) h
    order by h.xid desc, h.seq desc
    limit 1;
$$;

-- A page of the feed: the at most `most` changes after a position (of all that is kept, where there is none) are those from
-- there up to the end.
create function change_feed(
    given text, most integer,
    out after_xid xid8, out after_seq bigint, out end_xid xid8, out end_seq bigint, out has_more boolean
)
    language plpgsql stable as
$$
declare
    head record;
    forgotten record;
begin
    head := change_head();
    select f.xid, f.seq into forgotten from changes_forgotten f;
    if given is null then
        after_xid := forgotten.xid;
        after_seq := forgotten.seq;
    else
        select p.xid, p.seq into after_xid, after_seq from change_position(given) p;
        -- One from ahead is of a history that this database has lost.
        if (after_xid, after_seq) < (forgotten.xid, forgotten.seq) or after_xid >= pg_snapshot_xmax(pg_current_snapshot()) then
            perform change_expired();
        end if;
    end if;
    select e.xid, e.seq into end_xid, end_seq
    from (
        select c.xid, c.seq from changes c
        where (c.xid, c.seq) > (after_xid, after_seq) and c.xid < pg_snapshot_xmin(pg_current_snapshot())
        order by c.xid, c.seq
        limit most
    ) e
    order by e.xid desc, e.seq desc
    limit 1;
    if end_xid is null then
        end_xid := after_xid;
        end_seq := after_seq;
    end if;
    has_more := (end_xid, end_seq) < (head.xid, head.seq);
end;
$$;

-- What a process must hear of: which stories, and whether references, were changed by transactions that its last look (a
-- snapshot) has not seen and this one has, whatever their order. Null as `lost` where that look is no part of this history.
create function changes_since(
    look pg_snapshot, known text,
    out snapshot pg_snapshot, out identity text, out head text, out pending boolean, out lost boolean,
    out xids bigint[], out stories bigint[], out reference_xid bigint
)
    language plpgsql stable as
$$
declare
    position record;
begin
    snapshot := pg_current_snapshot();
    identity := database_identity();
    position := change_head();
    head := change_cursor(position.xid, position.seq);
    pending := exists (
        select from changes c where (c.xid, c.seq) > (position.xid, position.seq) and c.xid < pg_snapshot_xmax(snapshot)
    );
    lost := identity is distinct from known or pg_snapshot_xmax(look) > pg_snapshot_xmax(snapshot)
        or exists (select from changes_forgotten f where f.xid >= pg_snapshot_xmin(look));
    if look is null or lost then
        return;
    end if;
    select array_agg(e.xid), array_agg(e.story) into xids, stories
    from (
        select c.xid::text::bigint as xid, unnest(array[c.story_id, c.merged_into_id]) as story
        from changes c
        where c.xid >= pg_snapshot_xmin(look) and not pg_visible_in_snapshot(c.xid, look)
    ) e
    where e.story is not null;
    select max(r.xid)::text::bigint into reference_xid
    from reference_changes r
    where r.xid >= pg_snapshot_xmin(look) and not pg_visible_in_snapshot(r.xid, look);
end;
$$;

-- Forgets changes from before a time, at most so many; how many. Those of a transaction that is still open are kept.
create function forget_changes(before timestamptz, most integer) returns bigint
    language plpgsql as
$$
declare
    last record;
    forgotten bigint;
begin
    -- One at a time, and nobody waits for another.
    if not pg_try_advisory_xact_lock(hashtext('parallax.forget_changes')) then
        return 0;
    end if;
    -- A restored dump holds transaction ids of another server; those from ahead would come up again one day.
    delete from changes c where c.xid >= pg_snapshot_xmax(pg_current_snapshot());
    delete from reference_changes r where r.xid >= pg_snapshot_xmax(pg_current_snapshot());
    update changes_forgotten f set xid = '0', seq = 0 where f.xid >= pg_snapshot_xmax(pg_current_snapshot());

    delete from reference_changes r where r.at < before and r.xid < pg_snapshot_xmin(pg_current_snapshot());
    select o.xid, o.seq into last
    from (
        select c.xid, c.seq, bool_and(c.at < before) over (order by c.xid, c.seq) as old
        from (
            select * from changes c where c.xid < pg_snapshot_xmin(pg_current_snapshot()) order by c.xid, c.seq limit most
        ) c
    ) o
    where o.old
    order by o.xid desc, o.seq desc
    limit 1;
    if last.xid is null then
        return 0;
    end if;
    delete from changes c where (c.xid, c.seq) <= (last.xid, last.seq);
    get diagnostics forgotten = row_count;
    update changes_forgotten f set xid = last.xid, seq = last.seq;
    return forgotten;
end;
$$;

-- Wakes whoever listens; the channel is the database's own, and Postgres tells once however many in a transaction did this.
create function changes_announced() returns trigger
    language plpgsql as
$$
begin
    notify parallax_changes;
    return null;
end;
$$;

create trigger changes_inserted after insert on changes for each statement execute function changes_announced();
create trigger reference_changes_inserted after insert on reference_changes for each statement execute function changes_announced();

create function references_written() returns trigger
    language plpgsql as
$$
begin
    insert into reference_changes default values on conflict do nothing;
    return null;
end;
$$;

-- Figures that are kept on these rows change all the time and are no part of a story's page.
create trigger outlets_referred after update on outlets for each row
    when ((old.domain, old.slug, old.name, old.homepage_url, old.country, old.place_id, old.language, old.medium, old.bias_score,
            old.factuality_score, old.ownership)
        is distinct from (new.domain, new.slug, new.name, new.homepage_url, new.country, new.place_id, new.language, new.medium,
            new.bias_score, new.factuality_score, new.ownership))
    execute function references_written();
create trigger topics_referred after update on topics for each row
    when ((old.slug, old.name, old.parent_id) is distinct from (new.slug, new.name, new.parent_id))
    execute function references_written();
create trigger places_referred after update on places for each row
    when ((old.slug, old.name, old.country) is distinct from (new.slug, new.name, new.country))
    execute function references_written();
create trigger ratings_referred after insert or update or delete on ratings for each row execute function references_written();
create trigger owners_referred after insert or update or delete on owners for each row execute function references_written();
