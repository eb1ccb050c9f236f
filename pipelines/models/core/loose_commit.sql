-- One row per commit that no change request owns, with the commit that stands for the change: itself,
-- or, in a repository without change requests, the one that brought it in: of the default branch's
-- line or, where it went live before that branch had it, of the line it was released from.
-- kept: while building
-- key: commit_no
with asked as (
    -- Commits of requests still open or closed unmerged are no changes of their own either.
    select distinct a.repository_key, l.sha
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join records.change_request_commit as l on l.change_request_id = c.change_request_id
    where c.deleted_at is null and c.merged_at is null
),
owned as (
    -- Commits on the default branch, or in production, that belong to no change request.
    select g.commit_no, g.commit_no as unit_no, m.commit_no is not null as is_on_default
    from known_commit as g
    join repository_with_requests as w on w.repository_key = g.repository_key
    left join mainline as m on m.commit_no = g.commit_no
    left join asked as k on k.repository_key = g.repository_key and k.sha = g.sha
    where not g.is_merge and g.commit_no not in (select commit_no from change_commit)
        and (m.commit_no is not null
            or (k.sha is null
                and g.commit_no in (select commit_no from shipment where environment = '')))
    union all
    select g.commit_no, m.mainline_no, not m.is_elsewhere
    from mainline as m
    join known_commit as g on g.commit_no = m.commit_no
    where g.repository_key not in (select repository_key from repository_with_requests)
)
select o.commit_no, o.unit_no, o.is_on_default, g.repository_key, g.sha, u.sha as unit_sha,
    case when len(u.parents) = 2 then u.parents[2] end as merged_sha, g.is_merge,
    g.written_email, g.author_email, g.authored_at, g.committed_at, g.subject
from owned as o
join known_commit as g on g.commit_no = o.commit_no
join known_commit as u on u.commit_no = o.unit_no
