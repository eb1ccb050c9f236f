-- One row per connection that shows repositories: since when runs and deployments of its
-- repositories are known (whichever connection tells of them), and from when on it was asked.
-- key: connection
with run as (
    select o.connection, min(coalesce(r.started_at, r.queued_at, r.finished_at)) as first_run_at
    from records.pipeline_run as r
    join repository_alias as a on a.alias = r.repository_key
    join repository as o on o.repository_key = a.repository_key
    where r.deleted_at is null
    group by o.connection
),
tried as (
    select o.connection, min(t.started_at) as first_attempt_at
    from attempt as t
    join repository as o on o.repository_key = t.repository_key
    where not t.is_absurd
    group by o.connection
),
asked as (
    select connection, max(coverage_from) as coverage_from from input.source group by connection
)
select r.connection, min(case when r.created_at >= '2000-01-01' then r.created_at end)
        as first_repository_at,
    u.first_run_at, t.first_attempt_at, s.coverage_from
from repository as r
left join run as u on u.connection = r.connection
left join tried as t on t.connection = r.connection
left join asked as s on s.connection = r.connection
group by r.connection, u.first_run_at, t.first_attempt_at, s.coverage_from
