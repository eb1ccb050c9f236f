-- One row per merged change request that promotes a long-lived branch (the default, develop, a
-- release branch, or the base of three merged requests): it carries changes and is none itself.
-- key: change_request_id
with merged as (
    select c.change_request_id, a.repository_key, c.base_branch, c.head_branch, r.default_branch
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join repository as r on r.repository_key = a.repository_key
    where c.deleted_at is null and c.merged_at is not null
),
base as (
    select repository_key, base_branch as branch, count(*) as merged
    from merged group by repository_key, base_branch
)
select m.change_request_id
from merged as m
left join base as b on b.repository_key = m.repository_key and b.branch = m.head_branch
where m.head_branch = m.default_branch
    or regexp_matches(m.head_branch, '^(develop|release[/-].*)$')
    or b.merged >= 3
