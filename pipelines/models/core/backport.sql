-- One row per change that holds nothing new, and change that it repeats: its commits were picked from
-- there (as the cherry-pick's trailer says) or written again (same author e-mail, authored second
-- and subject). It ships together with the originals, which count once.
-- key: change_id, original_id
with recursive request as (
    select change_request_id as change_id, merge_no, merged_at
    from merged_request
    where change_request_id not in (select change_request_id from promotion)
        and change_request_id not in (select change_request_id from stacked)
),
every_held as not materialized (
    select r.change_id, l.repository_key, l.sha, l.email,
        date_trunc('second', l.authored_at) as authored_at, l.subject, l.twin, l.committed_at,
        r.merged_at, false as is_direct, true as is_own
    from request as r
    join listed_commit as l on l.change_request_id = r.change_id
    where not l.is_merge
    union all by name
    -- A squash commit may be picked too, but it is not what the request consists of.
    select r.change_id, g.repository_key, g.sha, g.written_email as email,
        date_trunc('second', g.authored_at) as authored_at, g.subject, g.twin, g.committed_at, r.merged_at, false as is_direct,
        r.change_id not in (select change_request_id from listed_commit where not is_merge)
            as is_own
    from request as r
    join known_commit as g on g.commit_no = r.merge_no
    where not g.is_merge
    union all by name
    select 'commit:' || c.repository_key || ':' || c.unit_sha as change_id, c.repository_key,
        c.sha, c.written_email as email, date_trunc('second', c.authored_at) as authored_at, c.subject, g.twin, c.committed_at,
        u.committed_at as merged_at, true as is_direct, true as is_own
    from loose_commit as c
    join loose_commit as u on u.commit_no = c.unit_no
    join known_commit as g on g.commit_no = c.commit_no
    where not c.is_merge
),
trailer as (
    select distinct repository_key, sha, unnest(cherry_picked_from) as source
    from known_commit
    where len(cherry_picked_from) > 0
),
told as materialized (
    select change_id, repository_key, sha, twin, is_own from every_held
),
suspect as (
    -- Few are written twice or picked; the rest need not be compared by their texts.
    select twin from told group by twin having count(*) > 1
    union
    select h.twin
    from told as h
    join trailer as t on t.repository_key = h.repository_key
        and left(t.source, 7) = left(h.sha, 7)
    union
    select twin from told
    where change_id in (
        select h.change_id
        from told as h
        join trailer as t on t.repository_key = h.repository_key and t.sha = h.sha)
),
held as (
    select * exclude (twin) from every_held where twin in (select twin from suspect)
),
aged as (
    -- What is picked comes after what is not, commits after requests, later after earlier.
    select h.*, struct_pack(
        is_picked := (h.repository_key, h.sha) in (select (repository_key, sha) from trailer),
        is_direct := h.is_direct, committed_at := h.committed_at, merged_at := h.merged_at,
        change_id := h.change_id) as age
    from held as h
),
family as (
    select repository_key, email, authored_at, subject, min(age) as first
    from aged
    where email is not null and authored_at is not null and subject is not null
    group by repository_key, email, authored_at, subject
),
own as (
    select distinct change_id, sha from told
    where is_own and change_id in (select change_id from held)
),
sourced as (
    select h.change_id, h.sha, f.first
    from aged as h
    join family as f on f.repository_key = h.repository_key and f.email = h.email
        and f.authored_at = h.authored_at and f.subject = h.subject
    where h.is_own
    union all
    select h.change_id, h.sha, f.first
    from aged as h
    join trailer as t on t.repository_key = h.repository_key and t.sha = h.sha
    join aged as n on n.repository_key = t.repository_key
        and left(n.sha, 7) = left(t.source, 7) and starts_with(n.sha, t.source)
    join family as f on f.repository_key = n.repository_key and f.email = n.email
        and f.authored_at = n.authored_at and f.subject = n.subject
    where h.is_own
    union all
    -- The trailers of a squash commit speak for all that was squashed.
    select o.change_id, o.sha, f.first
    from aged as h
    join trailer as t on t.repository_key = h.repository_key and t.sha = h.sha
    join own as o on o.change_id = h.change_id
    join aged as n on n.repository_key = t.repository_key
        and left(n.sha, 7) = left(t.source, 7) and starts_with(n.sha, t.source)
    join family as f on f.repository_key = n.repository_key and f.email = n.email
        and f.authored_at = n.authored_at and f.subject = n.subject
    where not h.is_own
),
rooted as (
    select change_id, sha, min(first) as first from sourced group by change_id, sha
),
copied as (
    select o.change_id
    from own as o
    left join rooted as r on r.change_id = o.change_id and r.sha = o.sha
    group by o.change_id
    having bool_and(coalesce(r.first.change_id <> o.change_id, false))
),
repeated as (
    select distinct s.change_id, s.first.change_id as original_id
    from sourced as s
    where s.change_id in (select change_id from copied) and s.first.change_id <> s.change_id
),
reached as (
    -- What repeats a copy repeats its original.
    select change_id, original_id from repeated
    union
    select c.change_id, r.original_id
    from reached as c
    join repeated as r on r.change_id = c.original_id
)
select change_id, original_id
from reached
where original_id not in (select change_id from copied)
