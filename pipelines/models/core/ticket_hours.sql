-- One row per ticket, person and week: the hours of the one source that is taken for the team then.
-- A week takes the source of the first evaluation after it, the weeks after the last evaluation that of the last.
-- key: ticket_id, person_id, week
-- not null: source
-- check: duration_us >= 0
with seen as (
    select distinct is_infrastructure, week from (
        select p.is_infrastructure, h.week
        from measured_hours as h join tracked_person as p on p.person_id = h.person_id
        union all
        select true, week from effort_hours
    )
),
latest as (
    select max(evaluated_on) as evaluated_on from input.evaluation
),
ruled as (
    select s.is_infrastructure, s.week, coalesce(min(e.evaluated_on), min(l.evaluated_on)) as evaluated_on
    from seen as s
    cross join latest as l
    left join input.evaluation as e on e.evaluated_on > s.week
    group by s.is_infrastructure, s.week
),
taken as (
    select r.is_infrastructure, r.week, h.source, h.evaluated_at
    from ruled as r
    join input.evaluation as e on e.evaluated_on = r.evaluated_on
    join hours_source as h on h.evaluated_at = e.evaluated_at
        and h.is_infrastructure = r.is_infrastructure and h.is_taken
)
select h.ticket_id, h.person_id, h.week, h.source, h.duration_us
from measured_hours as h
join tracked_person as p on p.person_id = h.person_id
join taken as t on t.is_infrastructure = p.is_infrastructure and t.week = h.week and t.source = h.source
union all
select h.ticket_id, h.person_id, h.week, t.source, h.duration_us
from effort_hours as h
join taken as t on t.is_infrastructure and t.week = h.week and t.source = 'effort per type'
    and t.evaluated_at = h.evaluated_at
