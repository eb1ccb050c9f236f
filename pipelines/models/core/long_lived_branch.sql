-- One row per branch that lives on: the default one, develop, release branches, and the base of
-- at least three merged requests. Requests into it are changes, a request from it promotes them.
-- kept: while building
-- key: repository_key, branch
with used as (
    select repository_key, base_branch as branch, count(*) as merged
    from merged_request where base_branch is not null group by repository_key, base_branch
    union all
    select repository_key, head_branch, 0
    from merged_request where head_branch is not null group by repository_key, head_branch
)
select u.repository_key, u.branch
from used as u
join repository as r on r.repository_key = u.repository_key
group by u.repository_key, u.branch, r.default_branch
having coalesce(u.branch = r.default_branch, false)
    or regexp_matches(u.branch, '^(develop|release[/-].*)$')
    or sum(u.merged) >= 3
