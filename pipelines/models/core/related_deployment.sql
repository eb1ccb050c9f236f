-- One row per deployment of a service to an environment, with what it was to the one live before
-- it. Before it is known which changes it ships, on which its kind depends.
-- key: deployment_id
-- not null: service_id, environment, outcome
-- check: live_at is null or live_at >= started_at
-- references: service_id -> service.service_id
select
    f.* exclude (started_at),
    least(f.started_at, coalesce(f.live_at, f.started_at)) as started_at,
    coalesce(r.relation, 'not_live') as relation,
    r.live_deployment_id, r.failed_deployment_id, r.undone_deployment_ids, r.shipped, r.dropped,
    coalesce(r.is_unrelated, false) as is_unrelated,
    r.unresolved_before_at, r.unresolved_in_production_at
from folded_deployment as f
left join deployment_relation as r on r.deployment_id = f.deployment_id
