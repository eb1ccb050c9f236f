-- One row per deployment of a service to an environment, with what it was: its kind by lineage
-- and whether it counts. A redeploy of the commit that is still live ships nothing and counts
-- nowhere; an attempt that never went live is no deployment of change.
-- key: deployment_id
-- not null: service_id, environment, kind, outcome
-- check: live_at is null or live_at >= started_at
-- references: service_id -> service.service_id
select
    f.deployment_id, f.service_id, f.environment,
    case when f.is_production then 'production' else 'other' end as environment_class,
    case
        when r.relation = 'redeploy' then 'redeploy'
        when r.relation = 'rollback' then 'rollback'
        else 'normal'
    end as kind,
    coalesce(r.relation, 'not_live') as relation,
    f.outcome, f.origin, f.repository_key, f.sha, f.ref, f.release, f.url, f.attempts,
    least(f.started_at, coalesce(f.live_at, f.started_at)) as started_at, f.live_at,
    f.live_at is not null and f.is_production and coalesce(r.relation, '') <> 'redeploy' as is_counted,
    r.relation is null or r.relation <> 'unresolved' as is_resolved,
    coalesce(r.relation = 'baseline', false) as is_baseline,
    r.unresolved_before_at
from folded_deployment as f
left join deployment_relation as r on r.deployment_id = f.deployment_id
