-- One row per evaluation, group of people, source of hours and week before it: hours by class, and what the group could have worked.
-- Weeks begin with the first that the source knows; those without hours in between are there with 0.
-- key: evaluated_at, is_infrastructure, source, week
-- check: available_us >= 0
with window_of as (
    select e.evaluated_at, e.evaluated_on, e.evaluated_on - cast(7 * w.weeks as integer) as from_week
    from input.evaluation as e
    cross join input.request_rule as w
),
summed as (
    select p.is_infrastructure, h.source, h.week, c.class, h.ticket_id, h.person_id, h.duration_us
    from measured_hours as h
    join tracked_person as p on p.person_id = h.person_id
    join ticket_class as c on c.ticket_id = h.ticket_id
),
weekly as (
    select is_infrastructure, source, week,
        sum(case when class = 'request' then duration_us else 0 end) as request_us,
        sum(case when class = 'build' then duration_us else 0 end) as build_us,
        sum(case when class = 'incident' then duration_us else 0 end) as incident_us,
        sum(case when class = 'overhead' then duration_us else 0 end) as overhead_us,
        sum(case when class = 'unclassified' then duration_us else 0 end) as unclassified_us,
        count(distinct ticket_id) as tickets
    from summed
    group by is_infrastructure, source, week
),
effort as (
    select e.evaluated_at, true as is_infrastructure, 'effort per type' as source, e.week,
        sum(case when c.class = 'request' then duration_us else 0 end) as request_us,
        sum(case when c.class = 'build' then duration_us else 0 end) as build_us,
        sum(case when c.class = 'incident' then duration_us else 0 end) as incident_us,
        sum(case when c.class = 'overhead' then duration_us else 0 end) as overhead_us,
        sum(case when c.class = 'unclassified' then duration_us else 0 end) as unclassified_us,
        count(*) as tickets
    from effort_hours as e
    join ticket_class as c on c.ticket_id = e.ticket_id
    group by e.evaluated_at, e.week
),
placed as (
    select o.evaluated_at, w.*
    from window_of as o
    join weekly as w on w.week >= o.from_week and w.week < o.evaluated_on
    union all
    select * from effort
),
week_length as (
    select cast(date_trunc('week', day) as date) as week,
        sum(epoch_us(work_end_at) - epoch_us(work_start_at)) as length_us
    from input.working_day
    group by cast(date_trunc('week', day) as date)
),
present as (
    select p.is_infrastructure, l.week, l.length_us, count(*) as people
    from week_length as l
    cross join input.clock as k
    join tracked_person as p
        on p.first_at is null or cast(timezone(k.zone, p.first_at) as date) < l.week + 7
    group by p.is_infrastructure, l.week, l.length_us
),
spanned as (
    select b.evaluated_at, b.is_infrastructure, b.source, v.week, v.length_us, v.people
    from (
        select evaluated_at, is_infrastructure, source, min(week) as first_week
        from placed group by evaluated_at, is_infrastructure, source
    ) as b
    join window_of as o on o.evaluated_at = b.evaluated_at
    join present as v on v.is_infrastructure = b.is_infrastructure
        and v.week >= b.first_week and v.week < o.evaluated_on
)
select s.evaluated_at, s.is_infrastructure, s.source, s.week,
    cast(coalesce(p.request_us, 0) as bigint) as request_us,
    cast(coalesce(p.build_us, 0) as bigint) as build_us,
    cast(coalesce(p.incident_us, 0) as bigint) as incident_us,
    cast(coalesce(p.overhead_us, 0) as bigint) as overhead_us,
    cast(coalesce(p.unclassified_us, 0) as bigint) as unclassified_us,
    coalesce(p.tickets, 0) as tickets, s.people,
    cast(s.people * s.length_us as bigint) as available_us
from spanned as s
left join placed as p on p.evaluated_at = s.evaluated_at
    and p.is_infrastructure = s.is_infrastructure and p.source = s.source and p.week = s.week
