-- One row per group of people and week: hours by class, of the source that is taken at the first evaluation after the week.
-- key: is_infrastructure, week
-- not null: source
with ruled as (
    select t.is_infrastructure, t.week, min(t.evaluated_at) as evaluated_at
    from team_hours as t
    join hours_source as h on h.evaluated_at = t.evaluated_at
        and h.is_infrastructure = t.is_infrastructure and h.source = t.source and h.is_taken
    group by t.is_infrastructure, t.week
)
select t.is_infrastructure, t.week, t.source, t.request_us, t.build_us, t.incident_us,
    t.overhead_us, t.unclassified_us, t.tickets, t.people, t.available_us
from ruled as r
join hours_source as h on h.evaluated_at = r.evaluated_at
    and h.is_infrastructure = r.is_infrastructure and h.is_taken
join team_hours as t on t.evaluated_at = r.evaluated_at and t.source = h.source
    and t.is_infrastructure = r.is_infrastructure and t.week = r.week
