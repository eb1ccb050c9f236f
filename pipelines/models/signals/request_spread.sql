-- One row per group of people: how the share of requests in a person's hours spreads over the people at the last evaluation; of the infrastructure team, and of everybody else (interrupt load).
-- Fewer than five people are not shown, only counted.
-- key: is_infrastructure
-- check: (median is null) = (people < 5)
with latest as (
    select h.is_infrastructure, h.evaluated_at, h.source, e.evaluated_on
    from hours_source as h
    join input.evaluation as e on e.evaluated_at = h.evaluated_at
    where h.is_taken and e.evaluated_at = (select max(evaluated_at) from input.evaluation)
),
worked as (
    select p.is_infrastructure, h.person_id, sum(h.duration_us) as tracked_us,
        sum(case when c.class = 'request' then h.duration_us else 0 end) as request_us
    from ticket_hours as h
    join tracked_person as p on p.person_id = h.person_id
    join latest as l on l.is_infrastructure = p.is_infrastructure
    cross join input.request_rule as w
    join ticket_class as c on c.ticket_id = h.ticket_id
    where h.week < l.evaluated_on and h.week >= l.evaluated_on - cast(7 * w.weeks as integer)
    group by p.is_infrastructure, h.person_id
    having sum(h.duration_us) > 0
),
spread as (
    select is_infrastructure, count(*) as people,
        percentile_cont(0.25) within group (order by request_us / tracked_us) as quarter,
        percentile_cont(0.5) within group (order by request_us / tracked_us) as median,
        percentile_cont(0.75) within group (order by request_us / tracked_us) as three_quarters
    from worked
    group by is_infrastructure
)
select s.is_infrastructure, l.source, s.people,
    case when s.people >= 5 then round_significant(s.quarter) end as quarter,
    case when s.people >= 5 then round_significant(s.median) end as median,
    case when s.people >= 5 then round_significant(s.three_quarters) end as three_quarters
from spread as s
join latest as l on l.is_infrastructure = s.is_infrastructure
