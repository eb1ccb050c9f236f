-- One row per service, slice of its production and trailing period: how much of the time lies
-- within reach of a deployment, so that an incident would be linked to one whatever its cause, and how many links chance alone would give. Above half, links by time leave the primary value.
-- key: service_id, environment, period, period_start
-- not null: incidents, is_time_used
-- check: covered_share is null or (covered_share >= 0 and covered_share <= 1)
with reach as (
    select r.service_id, r.environment, r.deployment_id, d.started_at as from_at,
        d.live_at + to_microseconds(p.incident_window_us) as to_at
    from release_deployment as r
    join deployment as d on d.deployment_id = r.deployment_id
    cross join input.measure as p
),
island as (
    -- What each adds to the time that those before it reach already.
    select service_id, environment, to_at,
        greatest(from_at, coalesce(max(to_at) over (
            partition by service_id, environment order by from_at, deployment_id
            rows between unbounded preceding and 1 preceding), from_at)) as from_at
    from reach
),
observed as (
    select e.service_id, e.environment, p.period, p.period_start,
        greatest(p.start_at, f.first_at) as from_at,
        least(p.end_at, k.as_of, coalesce(s.archived_at, k.as_of)) as to_at
    from service_slice as e
    join service as s on s.service_id = e.service_id
    cross join input.clock as k
    join input.period as p on p.period <> 'week'
    left join (
        select service_id, environment, min(live_at) as first_at
        from release_live group by service_id, environment
    ) as f on f.service_id = e.service_id and f.environment = e.environment
),
seen as (
    select * from observed where from_at < to_at
),
covered as (
    select o.service_id, o.environment, o.period, o.period_start,
        sum(epoch_us(least(i.to_at, o.to_at)) - epoch_us(greatest(i.from_at, o.from_at)))::bigint as covered_us
    from seen as o
    join island as i on i.service_id = o.service_id and i.environment = o.environment
        and i.from_at < o.to_at and i.to_at > o.from_at
    where i.to_at > i.from_at
    group by o.service_id, o.environment, o.period, o.period_start
),
begun as (
    select o.service_id, o.environment, o.period, o.period_start, count(*) as incidents
    from seen as o
    join incident as i on i.service_id = o.service_id
        and i.started_at >= o.from_at and i.started_at < o.to_at
    group by o.service_id, o.environment, o.period, o.period_start
),
shared as (
    select o.*, coalesce(b.incidents, 0) as incidents,
        case when o.from_at < o.to_at then
            coalesce(c.covered_us, 0) / (epoch_us(o.to_at) - epoch_us(o.from_at)) end as share
    from observed as o
    left join covered as c on c.service_id = o.service_id and c.environment = o.environment
        and c.period = o.period and c.period_start = o.period_start
    left join begun as b on b.service_id = o.service_id and b.environment = o.environment
        and b.period = o.period and b.period_start = o.period_start
)
select service_id, environment, period, period_start, incidents::bigint as incidents,
    round_significant(share) as covered_share,
    round_significant(incidents * share) as expected_by_chance,
    coalesce(share <= 0.5, true) as is_time_used
from shared
