-- One row per merged change request and commit of the graph that belongs to it: its merge or
-- squash commit, the commits it lists, and rebased copies of them (same author e-mail, authored
-- second and subject). A promotion owns its merge commit only.
-- key: change_request_id, sha
with graph as (
    select a.repository_key, g.sha,
        -- The forge lists the address as written, git as the .mailmap says.
        coalesce(g.written_email, g.author_email) as author_email, g.authored_at, g.subject, g.committed_at
    from records.commit as g
    join repository_alias as a on a.alias = g.repository_key
),
listed as (
    select r.change_request_id, r.repository_key, r.merged_at, l.sha, l.author_email, l.authored_at,
        l.subject, l.is_merge
    from merged_request as r
    join records.change_request_commit as l on l.change_request_id = r.change_request_id
    where r.change_request_id not in (select change_request_id from promotion)
),
owned as (
    select l.change_request_id, g.repository_key, g.sha, 'listed' as method
    from listed as l
    join graph as g on g.repository_key = l.repository_key and g.sha = l.sha
    union all
    select r.change_request_id, g.repository_key, g.sha, 'merge'
    from merged_request as r
    join graph as g on g.repository_key = r.repository_key and g.sha = r.merge_sha
    union all
    -- A rebase writes the commits again at the merge; earlier or much later twins are others'.
    select l.change_request_id, g.repository_key, g.sha, 'rebased'
    from listed as l
    join graph as g on g.repository_key = l.repository_key and not l.is_merge
        and lower(g.author_email) = lower(l.author_email)
        and date_trunc('second', g.authored_at) = date_trunc('second', l.authored_at)
        and g.subject = l.subject and g.sha <> l.sha
        and g.committed_at between l.merged_at - interval 1 hour and l.merged_at + interval 1 hour
)
select change_request_id, repository_key, sha, min(method) as method
from owned
group by change_request_id, repository_key, sha
