-- One row per merged change request and commit of the graph that belongs to it: its merge or
-- squash commit, the commits it lists, and rebased copies of them (same author e-mail, authored
-- second and subject). A promotion owns its merge commit only.
-- kept: while building
-- key: change_request_id, commit_no
with listed as (
    select * from listed_commit
    where change_request_id not in (select change_request_id from promotion)
),
owned as (
    select change_request_id, commit_no, 'listed' as method
    from listed where commit_no is not null
    union all
    select change_request_id, merge_no, 'merge'
    from merged_request where merge_no is not null
    union all
    -- A rebase writes the commits again at the merge; earlier or much later twins are others'.
    select l.change_request_id, g.commit_no, 'rebased'
    from listed as l
    join known_commit as g on g.twin = l.twin and not l.is_merge
        and g.repository_key = l.repository_key and g.written_email = l.email
        and date_trunc('second', g.authored_at) = date_trunc('second', l.authored_at)
        and g.subject = l.subject and g.sha <> l.sha
        and g.committed_at between l.merged_at - interval 1 hour and l.merged_at + interval 1 hour
)
select change_request_id, commit_no, min(method) as method
from owned
group by change_request_id, commit_no
