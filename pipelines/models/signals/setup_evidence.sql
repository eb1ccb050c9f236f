-- One row per evaluation: which sources there were then, and since when, of what the set-up of
-- services is measured by. requested_since: tickets or portal tasks; only where one asked for a
-- service, since tickets that no rule fits say nothing of set-up.
-- key: evaluated_at
-- not null: has_repositories
with request as (
    select connection, min(requested_at) as first_request_at
    from setup_request where coalesce(rule, '') <> 'other template'
    group by connection
),
tracked as (
    select connection, min(created_at) as since_at
    from (
        select connection, created_at from records.ticket where deleted_at is null
        union all
        select connection, created_at from records.scaffolder_task where deleted_at is null
    )
    group by connection
),
unknown as (
    select count(*) as services
    from setup_candidate as c
    left join setup_request as r on r.service_id = c.service_id
    where c.begun_at is null and r.service_id is null
)
select e.evaluated_at,
    (select count(*) > 0 from setup_source) as has_repositories,
    (select min(o.first_run_at) from setup_source as o) < e.evaluated_at as has_pipelines,
    (select min(o.first_attempt_at) from setup_source as o) < e.evaluated_at as has_deployments,
    (select min(q.first_request_at) from request as q) < e.evaluated_at as has_requests,
    (select count(*) > 0 from tracked as t where t.since_at < e.evaluated_at) as has_trackers,
    s.is_asked_for,
    (select min(greatest(o.first_repository_at, o.coverage_from)) from setup_source as o)
        as repositories_since,
    (select min(greatest(o.first_attempt_at, o.coverage_from)) from setup_source as o)
        as deployments_since,
    (select min(t.since_at) from tracked as t join request as q on q.connection = t.connection
        where q.first_request_at < e.evaluated_at) as requests_since,
    (select u.services from unknown as u) as unknown_starts
from input.evaluation as e
cross join input.setup as s
