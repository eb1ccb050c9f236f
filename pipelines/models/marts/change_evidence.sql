-- One row per commit and review of a merged change request, with what the change's start, first
-- review and approval were chosen from, and why not from the others. Nobody is named: a review
-- says only whether it was by somebody else, the author or a machine. By the time of the merge a
-- change's rows are found without reading all of them: ids of one source begin alike.
-- key: change_id, kind, item_id
-- not null: is_considered
-- references: change_id -> change.change_id
with request as (
    select c.change_id as change_request_id, q.author, c.merged_at
    from change as c
    join records.change_request as q on q.change_request_id = c.change_id
),
listed as (
    select l.change_request_id as change_id, r.merged_at, l.sha, l.authored_at, l.committed_at, l.subject,
        l.is_merge, m.method
    from request as r
    join listed_commit as l on l.change_request_id = r.change_request_id
    left join change_commit as m
        on m.change_request_id = l.change_request_id and m.commit_no = l.commit_no
),
merging as (
    -- What the merge itself wrote: the merge or squash commit, or rebased copies.
    select m.change_request_id as change_id, r.merged_at, g.sha, m.method, g.committed_at,
        g.authored_at, g.subject
    from change_commit as m
    join request as r on r.change_request_id = m.change_request_id
    join known_commit as g on g.commit_no = m.commit_no
    left join listed_commit as l
        on l.change_request_id = m.change_request_id and l.commit_no = m.commit_no
    where l.sha is null
),
reviewed as (
    select v.change_request_id as change_id, v.review_id, v.submitted_at, v.state, r.merged_at,
        coalesce(p.is_bot, false) as is_bot,
        coalesce(p.person_id, v.reviewer, '') = coalesce(o.person_id, r.author, '-') as is_own
    from request as r
    join records.review as v on v.change_request_id = r.change_request_id
    left join account_person as p on p.account_id = v.reviewer
    left join account_person as o on o.account_id = r.author
)
select change_id, merged_at, 'commit' as kind, sha as item_id, authored_at as moment, committed_at,
    subject as title, null as state, not is_merge as is_considered,
    case
        when is_merge then 'a merge of another branch: no start'
        when method is null then 'not in the history as such: squashed or rebased'
        else 'in the history'
    end as note
from listed
union all
select change_id, merged_at, 'commit', sha, authored_at, committed_at, subject, null, false,
    case method when 'merge' then 'written by the merge' else 'a rebased copy' end
from merging
union all
select change_id, merged_at, 'review', review_id, submitted_at, null, null, state,
    not is_bot and not is_own and submitted_at <= merged_at,
    case
        when is_bot then 'by a machine'
        when is_own then 'by the author'
        when submitted_at > merged_at then 'after the merge'
        else 'by somebody else'
    end
from reviewed
