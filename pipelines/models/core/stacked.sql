-- One row per merged change request into a branch that is neither long-lived nor of a release, and
-- request that carries it on, through other stacked ones too; null where none has yet.
-- key: change_request_id, carrier_id
with recursive merged as (
    select c.change_request_id, a.repository_key, c.base_branch, c.head_branch, c.merged_at,
        c.base_branch <> r.default_branch
            and b.branch is null
            and not regexp_matches(c.base_branch, '^(release|hotfix|support|stable)([/-]|$)|^v?\d+(\.(\d+|x))+$')
            as is_stacked
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join repository as r on r.repository_key = a.repository_key
    left join long_lived_branch as b
        on b.repository_key = a.repository_key and b.branch = c.base_branch
    where c.deleted_at is null and c.merged_at is not null
        and c.change_request_id not in (select change_request_id from promotion)
),
carried as (
    select change_request_id, change_request_id as through_id from merged where is_stacked
    union
    select s.change_request_id, c.change_request_id
    from carried as s
    join merged as t on t.change_request_id = s.through_id and t.is_stacked
    join merged as c on c.repository_key = t.repository_key and c.head_branch = t.base_branch
        and c.merged_at >= t.merged_at
)
select distinct s.change_request_id, c.change_request_id as carrier_id
from merged as s
left join (
    select d.change_request_id as stacked_id, m.change_request_id
    from carried as d
    join merged as m on m.change_request_id = d.through_id and not m.is_stacked
) as c on c.stacked_id = s.change_request_id
where s.is_stacked
