-- One row per change, service and environment it went live in. Environment '' is production as a
-- whole, the earliest of its environments. By which deployment, and whether that deployment
-- shipped it, was the first seen there (baseline), or is only known within an interval, because
-- a deployment in between is unresolved.
-- key: change_id, service_id, environment
-- not null: live_at
-- references: change_id -> change.change_id; deployment_id -> related_deployment.deployment_id
with carried as (
    select k.change_id, s.service_id, s.environment, s.deployment_id, s.relation, d.live_at,
        case when s.environment = '' then d.unresolved_in_production_at
            else d.unresolved_before_at end as unresolved_before_at
    from change_key as k
    join shipment as s on s.repository_key = k.repository_key and s.sha = k.sha
    join related_deployment as d on d.deployment_id = s.deployment_id
    join change_service as v on v.change_id = k.change_id and v.service_id = s.service_id
),
first_live as (
    select *
    from carried
    qualify row_number() over (
        partition by change_id, service_id, environment order by live_at, deployment_id) = 1
)
select
    f.change_id, f.service_id, f.environment, f.deployment_id, f.live_at,
    case
        when f.relation = 'baseline' then 'baseline'
        when c.merged_at < f.unresolved_before_at then 'interval_censored'
        else 'shipped'
    end as relation
from first_live as f
join change as c on c.change_id = f.change_id
