-- One row per deployment of a service to an environment, with what it was to the one live before
-- it. Before it is known which changes it ships, on which its kind depends.
-- kept: while building
-- key: deployment_id
-- not null: service_id, environment, outcome
-- check: live_at is null or live_at >= started_at
-- references: service_id -> service.service_id
with followed as (
    select deployment_id, connection, started_at,
        split_part(deployment_id, '|', 2) as attempt_id,
        lag(started_at) over (
            partition by service_id, environment order by live_at, deployment_id) as previous_at
    from folded_deployment where live_at is not null
),
resumed as (
    -- The first to go live since its source was silent, or forgot some, of a place live before.
    select distinct f.deployment_id
    from followed as f
    join source_gap as g on g.connection = f.connection
        and f.previous_at <= g.last_at and f.started_at >= g.resumed_at
    union
    select f.deployment_id
    from followed as f
    join missed_attempt as m on m.attempt_id = f.attempt_id
    where f.previous_at is not null
)
select
    f.* exclude (started_at),
    least(f.started_at, coalesce(f.live_at, f.started_at)) as started_at,
    coalesce(r.relation, 'not_live') as relation,
    r.live_deployment_id, r.failed_deployment_id, r.undone_deployment_ids, r.shipped, r.dropped,
    coalesce(r.is_unrelated, false) as is_unrelated,
    r.unresolved_before_at, r.unresolved_in_production_at,
    g.deployment_id is not null as is_after_gap
from folded_deployment as f
left join deployment_relation as r on r.deployment_id = f.deployment_id
left join resumed as g on g.deployment_id = f.deployment_id
