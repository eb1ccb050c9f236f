-- One row per engineer and ISO week: a person, no machine, who wrote or merged a change or started
-- a deployment to production within the 13 weeks that end with it. Before the 13th week of the
-- history nobody can tell how many there were: there are no rows.
-- key: person_id, week
with activity as (
    select c.author as account_id, c.merged_at as at from change as c where c.exclusion is null
    union all
    select r.merged_by, r.merged_at from records.change_request as r
    where r.deleted_at is null and r.merged_at is not null
    union all
    select d.actor, d.created_at from records.deployment_attempt as d
    where d.deleted_at is null and is_production(d.environment)
),
person_week as (
    select distinct p.person_id,
        cast(date_trunc('week', cast(timezone(k.zone, a.at) as date)) as date) as week
    from activity as a
    join account_person as p on p.account_id = a.account_id
    cross join input.clock as k
    where not p.is_bot and a.at >= '2000-01-01' and a.at < k.as_of
),
known as (
    select min(week) + 84 as first_week from person_week
),
following as (
    select cast(i as integer) as weeks from range(13) as r(i)
)
select distinct w.person_id, w.week + 7 * f.weeks as week
from person_week as w
cross join following as f
cross join known as n
cross join input.clock as k
where w.week + 7 * f.weeks >= n.first_week
    and w.week + 7 * f.weeks <= cast(timezone(k.zone, k.as_of) as date)
