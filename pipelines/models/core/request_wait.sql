-- One row per request that a service desk holds against goals (SLAs): the wait for the first response
-- and for the resolution by the desk's own clock, which leaves out pauses and hours it is closed, and
-- how many runs of a clock there were and missed their goal. A clock that still runs has no wait
-- yet, and missed its goal once that moment is past. The names of goals say which is which.
-- key: ticket_id
-- not null: goals, missed
-- check: missed between 0 and goals
-- references: ticket_id -> platform_request.ticket_id
with cycle as (
    select s.ticket_id, s.sla_id, s.cycle, s.stopped_at, s.elapsed_us,
        regexp_matches(s.name, w.first_response_pattern) as is_first_response,
        regexp_matches(s.name, w.resolution_pattern) as is_resolution,
        s.is_breached
            or coalesce(s.stopped_at is null and not s.is_paused and s.breach_at < k.as_of, false)
            as is_missed
    from records.ticket_sla as s
    join platform_request as r on r.ticket_id = s.ticket_id
    cross join input.request_rule as w
    cross join input.clock as k
    where s.deleted_at is null
),
goal as (
    select ticket_id, sla_id,
        sum(case when is_first_response and cycle = 1 and stopped_at is not null
            then elapsed_us end) as first_response_us,
        case when count(*) = count(stopped_at)
            then sum(case when is_resolution then elapsed_us end) end as resolution_us,
        count(*) as goals,
        count(*) filter (where is_missed) as missed
    from cycle
    group by ticket_id, sla_id
)
select ticket_id, cast(max(first_response_us) as bigint) as first_response_us,
    cast(max(resolution_us) as bigint) as resolution_us,
    cast(sum(goals) as bigint) as goals, cast(sum(missed) as bigint) as missed
from goal
group by ticket_id
