-- One row per evaluation: what is known of the 90 days before it, of people and of services.
-- key: evaluated_at
-- check: unresolved <= accounts
-- check: mapped <= production
with look_back as (
    select evaluated_on, evaluated_at, evaluated_on - 90 as since_on from input.evaluation
),
active as (
    select m.evaluated_on,
        count(distinct s.account_id) as accounts,
        count(distinct s.account_id) filter (where not s.is_resolved) as unresolved,
        count(distinct s.person_id) as people
    from look_back as m
    join engineer_stint as s on s.first_on < m.evaluated_on and m.since_on <= s.last_on
    group by m.evaluated_on
),
live_day as (
    select distinct r.service_id, cast(timezone(k.zone, r.live_at) as date) as live_on
    from release_live as r
    cross join input.clock as k
),
production as (
    select distinct m.evaluated_on, d.service_id
    from look_back as m
    join live_day as d on d.live_on < m.evaluated_on and m.since_on <= d.live_on
),
used as (
    select distinct p.evaluated_on, p.service_id
    from production as p
    join unit_use as u on u.service_id = p.service_id
        and u.from_on < p.evaluated_on and p.evaluated_on <= u.until_on
),
served as (
    select p.evaluated_on,
        count(*) as production,
        count(u.service_id) as with_unit,
        count(s.team_id) as with_owner,
        count(*) filter (where u.service_id is not null and s.team_id is not null) as mapped
    from production as p
    join service as s on s.service_id = p.service_id
    left join used as u on u.service_id = p.service_id and u.evaluated_on = p.evaluated_on
    group by p.evaluated_on
),
merged as (
    select cast(timezone(k.zone, c.merged_at) as date) as merged_on, count(*) as changes,
        count(*) filter (where c.author is null) as anonymous
    from change as c
    cross join input.clock as k
    where c.exclusion is null and c.kind not in ('stacked', 'promotion', 'backport')
    group by 1
),
written as (
    select m.evaluated_on, sum(d.changes) as changes, sum(d.anonymous) as anonymous
    from look_back as m
    join merged as d on d.merged_on < m.evaluated_on and m.since_on <= d.merged_on
    group by m.evaluated_on
),
origin as (
    select min(first_on) as first_on from engineer_stint
)
select m.evaluated_at, m.evaluated_on,
    coalesce(m.evaluated_on - o.first_on, 0) as history_days,
    coalesce(a.people, 0) as people, coalesce(a.accounts, 0) as accounts,
    coalesce(a.unresolved, 0) as unresolved,
    coalesce(s.production, 0) as production, coalesce(s.with_unit, 0) as with_unit,
    coalesce(s.with_owner, 0) as with_owner, coalesce(s.mapped, 0) as mapped,
    cast(coalesce(w.changes, 0) as bigint) as changes,
    cast(coalesce(w.anonymous, 0) as bigint) as anonymous
from look_back as m
cross join origin as o
left join active as a on a.evaluated_on = m.evaluated_on
left join served as s on s.evaluated_on = m.evaluated_on
left join written as w on w.evaluated_on = m.evaluated_on
