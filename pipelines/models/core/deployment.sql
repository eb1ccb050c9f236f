-- One row per deployment of a service to an environment, with its kind and whether it counts:
-- rollback by lineage; hotfix by its ref or release, or where all people's changes it ships are
-- marked as such; config where it ships nothing but configuration, or a new manifest of the commit
-- that is live; normal. A redeploy of what is still live ships nothing and counts nowhere; an
-- attempt that never went live is no deployment of change.
-- key: deployment_id
-- not null: service_id, environment, kind, outcome
-- check: live_at is null or live_at >= started_at
-- check: kind in ('normal', 'hotfix', 'rollback', 'config', 'redeploy')
-- references: service_id -> service.service_id; live_deployment_id -> related_deployment.deployment_id; failed_deployment_id -> related_deployment.deployment_id
with config_change as (
    select p.change_id
    from change_path as p
    cross join input.measure as m
    where len(m.config_paths) > 0
    group by p.change_id
    having bool_and(
        len(list_filter(m.config_paths, lambda prefix: starts_with(p.path, prefix))) > 0)
),
shipped as (
    select x.deployment_id,
        count(*) as changes,
        count(*) filter (where not c.is_bot and c.exclusion is null) as human,
        count(*) filter (where not c.is_bot and c.exclusion is null and c.is_hotfix)
            as hotfix,
        count(f.change_id) as config
    from deployment_change as x
    join change as c on c.change_id = x.change_id
    left join config_change as f on f.change_id = x.change_id
    where x.environment <> '' and x.relation <> 'baseline'
    group by x.deployment_id
)
select
    r.deployment_id, r.service_id, r.environment,
    case when r.is_production then 'production' else 'other' end as environment_class,
    case
        when r.relation in ('redeploy', 'rollback') then r.relation
        when is_hotfix(r.ref) or is_hotfix(r.release) or (s.human > 0 and s.hotfix = s.human)
            then 'hotfix'
        when r.relation = 'config' or s.config = s.changes then 'config'
        else 'normal'
    end as kind,
    r.relation, r.outcome, r.origin, r.repository_key, r.sha, r.manifest_sha, r.ref, r.release,
    r.url, r.attempts, r.started_at, r.live_at, r.ended_at,
    r.live_at is not null and r.is_production and r.relation <> 'redeploy' as is_counted,
    r.relation <> 'unresolved' as is_resolved,
    r.relation = 'baseline' as is_baseline,
    r.live_deployment_id, r.failed_deployment_id, r.undone_deployment_ids,
    r.dropped, r.is_unrelated, r.is_after_gap, r.unresolved_before_at
from related_deployment as r
left join shipped as s on s.deployment_id = r.deployment_id
