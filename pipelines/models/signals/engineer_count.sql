-- One row per evaluation: how many engineers the organisation has, as people with a change merged
-- in the 90 days before, as its author or the one who merged it; machines left out. Null where
-- there are none: an organisation without changes is one that is not connected.
-- key: evaluated_at
-- check: engineers is null or engineers > 0
with active as (
    select distinct p.person_id, cast(timezone(k.zone, a.merged_at) as date) as on_date
    from (
        select author as account_id, merged_at from change
        union all
        select r.merged_by, q.merged_at
        from merged_request as q
        join records.change_request as r on r.change_request_id = q.change_request_id
    ) as a
    join account_person as p on p.account_id = a.account_id and not p.is_bot
    cross join input.clock as k
)
select e.evaluated_at, nullif(count(distinct a.person_id), 0) as engineers
from input.evaluation as e
left join active as a
    on a.on_date < e.evaluated_on and a.on_date >= e.evaluated_on - interval 90 day
group by e.evaluated_at
