-- One row per production deployment with a sign of failure: how sure it is, and when it was
-- mended. It begins when the deployment was live, or with an incident while it was on its way. It ends with the last resolve of its incidents, or the latest linked rollback or fix before that; without incidents with the first rollback or fix.
-- key: deployment_id
-- references: deployment_id -> deployment.deployment_id
-- check: recovery_us is null or recovery_us >= 0
-- check: is_open = (recovery_us is null)
-- check: (recovery_us is null) = (recovered_by is null)
with signalled as (
    select s.deployment_id,
        list_sort(list_distinct(list(s.link_method))) as methods,
        case max(case s.confidence when 'high' then 3 when 'medium' then 2 else 1 end)
            when 3 then 'high' when 2 then 'medium' else 'low' end as confidence,
        count(*) as signals,
        bool_or(s.confidence = 'high') as is_high,
        bool_or(s.is_primary) as is_primary,
        bool_and(s.link_method in ('incident_time', 'incident_team')) as is_by_time
    from failure_signal as s
    group by s.deployment_id
),
disturbed as (
    select l.deployment_id, count(*) as incidents,
        min(case when i.started_at > d.started_at then i.started_at end) as first_at,
        max(i.resolved_at) as resolved_at,
        bool_or(i.is_open) as is_open
    from incident_link as l
    join incident as i on i.incident_id = l.incident_id
    join deployment as d on d.deployment_id = l.deployment_id
    where l.confidence <> 'low'
    group by l.deployment_id
),
begun as (
    select s.*, d.service_id, d.environment, d.live_at, coalesce(i.incidents, 0) as incidents,
        least(d.live_at, coalesce(i.first_at, d.live_at)) as failed_at,
        i.resolved_at, coalesce(i.is_open, false) as is_incident_open
    from signalled as s
    join deployment as d on d.deployment_id = s.deployment_id
    left join disturbed as i on i.deployment_id = s.deployment_id
),
fix as (
    select s.deployment_id, m.deployment_id as mending_id, m.live_at,
        bool_or(s.link_method = 'rollback') as is_rollback
    from failure_signal as s
    join deployment as m on m.deployment_id = s.mending_deployment_id
    group by s.deployment_id, m.deployment_id, m.live_at
),
mended as (
    -- The bounds stand in the aggregates: as conditions they would be joined by first.
    select b.deployment_id,
        case when b.resolved_at is null
            then arg_min(f.mending_id, (f.live_at, f.mending_id))
                filter (where f.live_at >= b.failed_at)
            else arg_max(f.mending_id, (f.live_at, f.mending_id))
                filter (where f.live_at between b.failed_at and b.resolved_at)
        end as mending_id
    from begun as b
    join fix as f on f.deployment_id = b.deployment_id
    where not b.is_incident_open
    group by b.deployment_id, b.resolved_at
),
ended as (
    select b.*, m.mending_id, f.is_rollback,
        case when not b.is_incident_open then coalesce(f.live_at, b.resolved_at) end as recovered_at
    from begun as b
    left join mended as m on m.deployment_id = b.deployment_id
    left join fix as f on f.deployment_id = m.deployment_id and f.mending_id = m.mending_id
)
select deployment_id, service_id, environment, live_at, methods, confidence,
    signals::bigint as signals, incidents::bigint as incidents, is_high, is_primary, is_by_time, failed_at,
    recovered_at, epoch_us(recovered_at) - epoch_us(failed_at) as recovery_us,
    case when recovered_at is null then null
        when mending_id is null then 'incident resolved'
        when is_rollback then 'rollback'
        else 'fix' end as recovered_by,
    mending_id as recovery_deployment_id, recovered_at is null as is_open
from ended
