-- One row per commit that takes back an earlier one, and the one it takes back: as git's message
-- says, else as the title of a change request does (Revert "…"). Taking back a revert is none.
-- kept: while building
-- key: repository_key, sha, reverted_sha
with marked as (
    select repository_key, sha, unnest(reverts) as source
    from known_commit
    where len(reverts) > 0
),
request as (
    select c.change_request_id, a.repository_key, c.title, c.merge_sha, c.created_at, c.merged_at
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    where c.deleted_at is null and c.merged_at is not null and c.merge_sha is not null
),
told as (
    select m.repository_key, m.sha, g.sha as reverted_sha
    from marked as m
    join known_commit as g on g.repository_key = m.repository_key and g.sha = m.source
    union
    select m.repository_key, m.sha, g.sha
    from marked as m
    join known_commit as g on g.repository_key = m.repository_key
        and substr(g.sha, 1, 7) = substr(m.source, 1, 7) and starts_with(g.sha, m.source)
    where len(m.source) < 40
    union
    -- A commit of a request that was squashed: the squash is what went out.
    select m.repository_key, m.sha, r.merge_sha
    from marked as m
    join records.change_request_commit as l on l.sha = m.source
    join request as r on r.change_request_id = l.change_request_id
        and r.repository_key = m.repository_key
),
titled as (
    select v.repository_key, v.merge_sha as sha,
        arg_max(r.merge_sha, (r.merged_at, r.change_request_id)) as reverted_sha
    from request as v
    join request as r on r.repository_key = v.repository_key and r.merged_at <= v.created_at
        and v.title = 'Revert "' || r.title || '"'
    where v.merge_sha not in (select sha from told) and starts_with(v.title, 'Revert "')
    group by v.repository_key, v.merge_sha
),
every_revert as (
    select * from told union select * from titled
)
select e.repository_key, e.sha, c.commit_no, e.reverted_sha, r.commit_no as reverted_no
from every_revert as e
left join known_commit as c on c.repository_key = e.repository_key and c.sha = e.sha
left join known_commit as r on r.repository_key = e.repository_key and r.sha = e.reverted_sha
left join every_revert as b on b.repository_key = e.repository_key and b.sha = e.reverted_sha
where b.sha is null and e.sha <> e.reverted_sha
