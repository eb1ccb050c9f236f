-- One row per release that failed: one of its deployments did, with high or medium confidence. It
-- begins with the first of them and is over when the last is mended.
-- kept: while building
-- key: service_id, environment, release_key
-- not null: failed_at
-- check: is_open = (recovered_at is null)
select
    r.service_id, r.environment, r.release_key,
    bool_or(f.is_high) as is_high,
    -- Incidents linked by time alone do not count where deployments reach over most of the time.
    bool_and(f.is_by_time) as is_by_time,
    min(f.failed_at) as failed_at,
    case when not bool_or(f.is_open) then max(f.recovered_at) end as recovered_at,
    bool_or(f.is_open) as is_open
from failure as f
join release_deployment as r on r.deployment_id = f.deployment_id
where f.confidence <> 'low'
group by r.service_id, r.environment, r.release_key
