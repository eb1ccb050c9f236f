-- One row per time a source that forgets (CI, a deployments API, a file) gave nothing at all for
-- more than 14 days: no attempt and no run of any repository. Git forgets no tag and no merge.
-- key: connection, resumed_at
-- not null: last_at
with seen as (
    select connection, created_at as seen_at from records.deployment_attempt where deleted_at is null
    union all
    select connection, coalesce(started_at, queued_at, finished_at) from records.pipeline_run
    where deleted_at is null
),
daily as (
    select connection, min(seen_at) as first_at, max(seen_at) as last_at
    from seen
    where seen_at >= '2000-01-01'
    group by connection, cast(seen_at as date)
),
followed as (
    select connection, last_at,
        lead(first_at) over (partition by connection order by first_at) as resumed_at
    from daily
)
select connection, last_at, resumed_at
from followed
where resumed_at > last_at + interval 14 day
