-- One row per merged change request into a branch that is neither long-lived nor of a release nor
-- deployed, and request that carries it on, through other stacked ones too; null where none has
-- yet. What arrived without one, merged by hand, is not stacked.
-- key: change_request_id, carrier_id
with recursive deployed as (
    select distinct repository_key, regexp_replace(ref, '^refs/heads/', '') as branch
    from attempt where ref is not null and is_production(environment)
),
merged as (
    select c.*,
        c.base_branch <> c.default_branch
            and b.branch is null and d.branch is null
            and not regexp_matches(c.base_branch, '^(release|hotfix|support|stable)([/-]|$)|^v?\d+(\.(\d+|x))+$')
            as is_stacked
    from merged_request as c
    left join long_lived_branch as b
        on b.repository_key = c.repository_key and b.branch = c.base_branch
    left join deployed as d on d.repository_key = c.repository_key and d.branch = c.base_branch
    where c.change_request_id not in (select change_request_id from promotion)
),
carried as (
    select change_request_id, change_request_id as through_id from merged where is_stacked
    union
    select s.change_request_id, c.change_request_id
    from carried as s
    join merged as t on t.change_request_id = s.through_id and t.is_stacked
    join merged as c on c.repository_key = t.repository_key and c.head_branch = t.base_branch
        and c.merged_at >= t.merged_at
),
placed as (
    select distinct s.change_request_id, s.merge_no, s.head_no,
        c.change_request_id as carrier_id
    from merged as s
    left join (
        select d.change_request_id as stacked_id, m.change_request_id
        from carried as d
        join merged as m on m.change_request_id = d.through_id and not m.is_stacked
    ) as c on c.stacked_id = s.change_request_id
    where s.is_stacked
),
arrived as (
    select p.change_request_id
    from placed as p
    join mainline as l on l.commit_no in (p.merge_no, p.head_no)
    where p.carrier_id is null
    union
    select p.change_request_id
    from placed as p
    join shipment as s on s.environment = '' and s.commit_no in (p.merge_no, p.head_no)
    where p.carrier_id is null
)
select change_request_id, carrier_id
from placed
where change_request_id not in (select change_request_id from arrived)
