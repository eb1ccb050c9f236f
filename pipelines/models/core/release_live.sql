-- One row per release that metrics count: of production as a whole, live at the first of its
-- environments, and of each production environment of a service that has several.
-- key: service_id, environment, release_key
-- not null: deployment_id, live_at, started_at, kind
-- references: deployment_id -> deployment.deployment_id
select
    r.service_id, r.environment, r.release_key,
    arg_min(d.deployment_id, (d.live_at, d.deployment_id)) as deployment_id,
    min(d.live_at) as live_at,
    arg_min(d.started_at, (d.live_at, d.deployment_id)) as started_at,
    arg_min(d.kind, (d.live_at, d.deployment_id)) as kind,
    count(*) as environments,
    bool_or(d.kind = 'rollback') as is_rollback
from release_deployment as r
join deployment as d on d.deployment_id = r.deployment_id
group by r.service_id, r.environment, r.release_key
