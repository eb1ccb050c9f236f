-- One row per length of the look-back, unit and whole ISO week: how many engineers it has at the
-- end of the week, how many came and went in it, and how many services and teams run on it then.
-- has_full_look_back: the look-back of this week and the one before lies within what is known.
-- key: days, unit_id, week
-- not null: engineers, engineers_low, joins, leaves, services, teams
-- check: engineers_low <= engineers
-- check: engineers >= 0
with origin as (
    select min(first_on) as first_on from engineer_stint
),
whole_week as (
    select p.period_start as week, p.period_end as ended_on, o.first_on,
        min(p.period_start) over () as first_week
    from input.period as p
    cross join origin as o
    where p.period = 'week' and not p.is_partial and p.period_end > o.first_on
),
earliest as (
    select min(week) as first_week from whole_week
),
flow as (
    select s.days, s.counting, s.unit_id,
        greatest(time_bucket(interval 7 day, s.from_on, date '1970-01-05'), e.first_week) as week,
        1 as joins, 0 as leaves
    from unit_stay as s
    cross join earliest as e
    union all
    select s.days, s.counting, s.unit_id,
        greatest(time_bucket(interval 7 day, s.until_on, date '1970-01-05'), e.first_week), 0, 1
    from unit_stay as s
    cross join earliest as e
),
weekly as (
    select days, unit_id, week,
        sum(joins) filter (where counting = 'high') as joins,
        sum(leaves) filter (where counting = 'high') as leaves,
        sum(joins - leaves) filter (where counting = 'low') as change_low
    from flow
    group by days, unit_id, week
),
every_unit as (
    select distinct unit_id from unit_use
),
placed as (
    select b.days, u.unit_id, w.week, w.ended_on, w.first_on,
        coalesce(f.joins, 0) as joins, coalesce(f.leaves, 0) as leaves,
        coalesce(f.change_low, 0) as change_low
    from whole_week as w
    cross join every_unit as u
    cross join (select unnest([30, 90, 180]) as days) as b
    left join weekly as f on f.days = b.days and f.unit_id = u.unit_id and f.week = w.week
),
used as (
    select u.unit_id, w.week, count(distinct u.service_id) as services,
        count(distinct s.team_id) as teams
    from unit_use as u
    join whole_week as w on u.from_on < w.ended_on and w.ended_on <= u.until_on
    join service as s on s.service_id = u.service_id
    group by u.unit_id, w.week
)
select p.days, p.unit_id, p.week, p.ended_on,
    cast(sum(p.joins - p.leaves) over running as bigint) as engineers,
    cast(sum(p.change_low) over running as bigint) as engineers_low,
    cast(p.joins as bigint) as joins, cast(p.leaves as bigint) as leaves,
    coalesce(u.services, 0) as services, coalesce(u.teams, 0) as teams,
    coalesce(u.teams, 0) >= l.teams as is_shared,
    p.week - p.first_on >= p.days as has_full_look_back
from placed as p
cross join input.shared_infrastructure as l
left join used as u on u.unit_id = p.unit_id and u.week = p.week
window running as (partition by p.days, p.unit_id order by p.week rows unbounded preceding)
