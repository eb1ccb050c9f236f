-- One row per commit that no change request owns, with the commit that stands for the change: itself,
-- or, in a repository without change requests, the one of the default branch that brought it in.
-- key: repository_key, sha
with with_requests as (
    select distinct a.repository_key
    from records.change_request as c join repository_alias as a on a.alias = c.repository_key
    where c.deleted_at is null
),
graph as (
    select a.repository_key, g.sha, g.parents, g.author_email,
        coalesce(g.written_email, g.author_email) as written_email, g.authored_at, g.committed_at,
        g.subject, m.mainline_sha
    from records.commit as g
    join repository_alias as a on a.alias = g.repository_key
    left join mainline as m on m.repository_key = a.repository_key and m.sha = g.sha
),
asked as (
    -- Commits of requests still open or closed unmerged are no changes of their own either.
    select distinct a.repository_key, l.sha
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join records.change_request_commit as l on l.change_request_id = c.change_request_id
    where c.deleted_at is null and c.merged_at is null
),
loose as (
    -- Commits on the default branch, or in production, that belong to no change request.
    select g.*, g.sha as unit_sha
    from graph as g
    join with_requests as w on w.repository_key = g.repository_key
    left join change_commit as c on c.repository_key = g.repository_key and c.sha = g.sha
    left join asked as k on k.repository_key = g.repository_key and k.sha = g.sha
    where c.sha is null and len(g.parents) <= 1
        and (g.mainline_sha is not null or (k.sha is null and exists (
            select 1 from shipment as s
            where s.environment = '' and s.repository_key = g.repository_key and s.sha = g.sha)))
    union all
    select g.*, g.mainline_sha as unit_sha
    from graph as g
    where g.mainline_sha is not null
        and g.repository_key not in (select repository_key from with_requests)
)
select repository_key, sha, unit_sha,
    bool_or(len(parents) > 1) as is_merge,
    min(lower(written_email)) as written_email,
    min(author_email) as author_email,
    min(authored_at) as authored_at,
    min(committed_at) as committed_at,
    min(subject) as subject
from loose
group by repository_key, sha, unit_sha
