-- One row per change: a merged change request, or a commit that belongs to none. Where a
-- repository has no change requests at all, a merge on its default branch is the change.
-- key: change_id
-- not null: repository_key, kind, start_at, merged_at
-- check: start_at <= merged_at
with recursive request as (
    select c.*, a.repository_key as home_key, r.default_branch
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join repository as r on r.repository_key = a.repository_key
    where c.deleted_at is null and c.merged_at is not null
),
listed as (
    select l.change_request_id,
        min(l.authored_at) as authored_at,
        arg_min(l.committed_at, l.authored_at) as committed_at
    from records.change_request_commit as l
    where not l.is_merge
    group by l.change_request_id
),
reviewed as (
    select v.change_request_id,
        min(v.submitted_at) filter (where v.submitted_at <= q.merged_at) as first_review_at,
        max(v.submitted_at) filter (where v.state = 'approved' and v.submitted_at <= q.merged_at)
            as approved_at
    from records.review as v
    join request as q on q.change_request_id = v.change_request_id
    left join account_person as reviewer on reviewer.account_id = v.reviewer
    left join account_person as author on author.account_id = q.author
    where not coalesce(reviewer.is_bot, false)
        and coalesce(reviewer.person_id, v.reviewer, '') <> coalesce(author.person_id, q.author, '-')
    group by v.change_request_id
),
requested as (
    select
        q.change_request_id as change_id, q.home_key as repository_key,
        case
            when b.change_request_id is not null then 'backport'
            when m.change_request_id is not null then 'promotion'
            when q.base_branch <> q.default_branch and n.branch is null
                and not regexp_matches(q.base_branch, '^(release|hotfix|support|stable)([/-]|$)|^v?\d+(\.(\d+|x))+$')
                then 'stacked'
            else 'change_request'
        end as kind,
        q.number, q.title, q.url, q.author, coalesce(p.is_bot, false) as is_bot,
        q.base_branch, q.head_branch, q.head_sha, q.merge_sha, q.labels, q.ticket_keys,
        q.created_at as opened_at,
        case when l.authored_at < q.created_at - interval 90 day then l.committed_at
            else coalesce(l.authored_at, q.created_at) end as candidate_at,
        coalesce(l.authored_at < q.created_at - interval 90 day, false) as is_start_from_committer,
        l.change_request_id is null as is_without_commits,
        greatest(coalesce(q.ready_at, q.created_at), q.created_at) as ready_at,
        v.first_review_at, v.approved_at, q.merged_at
    from request as q
    left join listed as l on l.change_request_id = q.change_request_id
    left join backport as b on b.change_request_id = q.change_request_id
    left join promotion as m on m.change_request_id = q.change_request_id
    left join long_lived_branch as n
        on n.repository_key = q.home_key and n.branch = q.base_branch
    left join reviewed as v on v.change_request_id = q.change_request_id
    left join account_person as p on p.account_id = q.author
),
onward as (
    select s.change_id, c.change_id as carrier_id, c.kind as carrier_kind, s.candidate_at
    from requested as s
    join requested as c on c.repository_key = s.repository_key and c.head_branch = s.base_branch
        and c.merged_at >= s.merged_at and c.kind in ('change_request', 'stacked')
    where s.kind = 'stacked'
),
carrying as (
    -- A stacked request is folded into the request that carries its base branch onwards, and
    -- with that one into the next, up to the one that is a change.
    select carrier_id, carrier_kind, candidate_at from onward
    union
    select o.carrier_id, o.carrier_kind, c.candidate_at
    from carrying as c
    join onward as o on o.change_id = c.carrier_id
),
carried as (
    select carrier_id as change_id, min(candidate_at) as candidate_at
    from carrying
    where carrier_kind = 'change_request'
    group by carrier_id
),
with_requests as (
    select distinct a.repository_key
    from records.change_request as c join repository_alias as a on a.alias = c.repository_key
    where c.deleted_at is null
),
graph as (
    select a.repository_key, g.sha, g.parents, g.author_email, g.authored_at, g.committed_at,
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
    select g.*, g.mainline_sha
    from graph as g
    where g.mainline_sha is not null
        and g.repository_key not in (select repository_key from with_requests)
),
unit as (
    select repository_key, unit_sha,
        bool_or(sha = unit_sha and len(parents) > 1) as is_merge,
        min(case when len(parents) <= 1 then authored_at end) as authored_at,
        arg_min(committed_at, case when len(parents) <= 1 then authored_at end) as committed_at,
        max(case when sha = unit_sha then committed_at end) as merged_at,
        max(case when sha = unit_sha then subject end) as title,
        max(case when sha = unit_sha then author_email end) as author_email
    from loose
    group by repository_key, unit_sha
),
committed as (
    select
        'commit:' || u.repository_key || ':' || u.unit_sha as change_id, u.repository_key,
        case when u.is_merge then 'merge' else 'direct' end as kind,
        null::bigint as number, u.title,
        case when starts_with(r.url, 'http') then r.url || '/commit/' || u.unit_sha end as url,
        null::varchar as author, coalesce(p.is_bot, false) as is_bot,
        r.default_branch as base_branch, null::varchar as head_branch, u.unit_sha as head_sha,
        u.unit_sha as merge_sha, []::varchar[] as labels, []::varchar[] as ticket_keys,
        u.merged_at as opened_at,
        case when u.authored_at < u.merged_at - interval 90 day then u.committed_at
            else coalesce(u.authored_at, u.merged_at) end as candidate_at,
        coalesce(u.authored_at < u.merged_at - interval 90 day, false) as is_start_from_committer,
        false as is_without_commits,
        null::timestamptz as ready_at, null::timestamptz as first_review_at,
        null::timestamptz as approved_at, u.merged_at
    from unit as u
    join repository as r on r.repository_key = u.repository_key
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
