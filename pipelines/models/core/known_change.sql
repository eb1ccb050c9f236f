-- One row per change: a merged change request, or a commit that belongs to none. Where a
-- repository has no change requests at all, a merge on its default branch, or on a line released
-- from before, is the change. Before the exclusions of the settings.
-- kept: while building
-- key: change_id
-- not null: repository_key, kind, start_at, merged_at
-- check: start_at <= merged_at
with listed as (
    select l.change_request_id,
        min(l.authored_at) as authored_at,
        arg_min(l.committed_at, l.authored_at) as committed_at
    from listed_commit as l
    where not l.is_merge
    group by l.change_request_id
),
reviewed as (
    select v.change_request_id,
        min(v.submitted_at) filter (where v.submitted_at <= q.merged_at) as first_review_at,
        max(v.submitted_at) filter (where v.state = 'approved' and v.submitted_at <= q.merged_at)
            as approved_at
    from records.review as v
    join merged_request as q on q.change_request_id = v.change_request_id
    left join account_person as reviewer on reviewer.account_id = v.reviewer
    left join account_person as author on author.account_id = q.author
    where not coalesce(reviewer.is_bot, false)
        and coalesce(reviewer.person_id, v.reviewer, '') <> coalesce(author.person_id, q.author, '-')
    group by v.change_request_id
),
requested as (
    select
        q.change_request_id as change_id, q.repository_key,
        case
            when m.change_request_id is not null then 'promotion'
            when q.change_request_id in (select change_request_id from stacked) then 'stacked'
            when q.change_request_id in (select change_id from backport) then 'backport'
            else 'change_request'
        end as kind,
        q.number, q.title, q.url, q.author, coalesce(p.is_bot, false) as is_bot,
        q.base_branch, q.head_branch, q.head_sha, q.merge_sha,
        q.head_no, q.merge_no, q.labels, q.ticket_keys,
        q.created_at as opened_at,
        case when l.authored_at < q.created_at - interval 90 day then l.committed_at
            else coalesce(l.authored_at, q.created_at) end as candidate_at,
        coalesce(l.authored_at < q.created_at - interval 90 day, false) as is_start_from_committer,
        l.change_request_id is null as is_without_commits,
        greatest(coalesce(q.ready_at, q.created_at), q.created_at) as ready_at,
        v.first_review_at, v.approved_at, q.merged_at
    from merged_request as q
    left join listed as l on l.change_request_id = q.change_request_id
    left join promotion as m on m.change_request_id = q.change_request_id
    left join reviewed as v on v.change_request_id = q.change_request_id
    left join account_person as p on p.account_id = q.author
),
carried as (
    -- A stacked request is folded into the request that carries it onwards.
    select k.carrier_id as change_id, min(least(s.candidate_at, s.opened_at, s.merged_at)) as candidate_at
    from stacked as k
    join requested as s on s.change_id = k.change_request_id
    where k.carrier_id is not null
    group by k.carrier_id
),
unit as (
    select repository_key, unit_no, unit_sha,
        bool_or(commit_no = unit_no and is_merge) as is_merge,
        bool_or(commit_no = unit_no and is_on_default) as is_on_default,
        any_value(merged_sha) as merged_sha,
        min(case when not is_merge then authored_at end) as authored_at,
        arg_min(committed_at, case when not is_merge then authored_at end) as committed_at,
        max(case when commit_no = unit_no then committed_at end) as merged_at,
        max(case when commit_no = unit_no then subject end) as title,
        max(case when commit_no = unit_no then author_email end) as author_email
    from loose_commit
    group by repository_key, unit_no, unit_sha
    -- A merge that brings in nothing of its own is no change.
    having bool_or(not is_merge)
),
committed as (
    select
        'commit:' || u.repository_key || ':' || u.unit_sha as change_id, u.repository_key,
        case
            when 'commit:' || u.repository_key || ':' || u.unit_sha in (
                select change_id from backport) then 'backport'
            when u.is_merge then 'merge'
            else 'direct'
        end as kind,
        null::bigint as number, u.title,
        case when starts_with(r.url, 'http') then r.url || '/commit/' || u.unit_sha end as url,
        'email:' || sha256(lower(u.author_email)) as author, coalesce(p.is_bot, false) as is_bot,
        case when u.is_on_default then r.default_branch end as base_branch,
        null::varchar as head_branch, coalesce(h.sha, u.unit_sha) as head_sha,
        u.unit_sha as merge_sha, coalesce(h.commit_no, u.unit_no) as head_no, u.unit_no as merge_no, []::varchar[] as labels, []::varchar[] as ticket_keys,
        u.merged_at as opened_at,
        case when u.authored_at < u.merged_at - interval 90 day then u.committed_at
            else coalesce(u.authored_at, u.merged_at) end as candidate_at,
        coalesce(u.authored_at < u.merged_at - interval 90 day, false) as is_start_from_committer,
        false as is_without_commits,
        null::timestamptz as ready_at, null::timestamptz as first_review_at,
        null::timestamptz as approved_at, u.merged_at
    from unit as u
    join repository as r on r.repository_key = u.repository_key
    left join known_commit as h
        on u.is_merge and h.repository_key = u.repository_key and h.sha = u.merged_sha
    left join account_person as p on p.account_id = 'email:' || sha256(lower(u.author_email))
    where u.merged_at is not null
),
every_change as (
    select * from requested union all by name select * from committed
)
select e.* exclude (candidate_at),
    is_hotfix(e.head_branch)
        or len(list_filter(e.labels, lambda label: is_hotfix(label))) > 0 as is_hotfix,
    least(coalesce(c.candidate_at, e.candidate_at), e.candidate_at, e.opened_at, e.merged_at) as start_at
from every_change as e
left join carried as c on c.change_id = e.change_id
