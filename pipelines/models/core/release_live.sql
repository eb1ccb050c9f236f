-- One row per release: the k-th deployment of a commit in each production environment of a
-- service is one release, live at its first environment.
-- key: service_id, release_key
-- not null: live_at
with numbered as (
    select *, row_number() over (
        partition by service_id, environment, sha order by live_at, deployment_id) as occurrence
    from deployment
    where is_counted
)
select
    service_id,
    coalesce(sha, deployment_id) || '#' || occurrence as release_key,
    min(live_at) as live_at,
    arg_min(deployment_id, (live_at, deployment_id)) as deployment_id,
    count(*) as environments,
    bool_or(kind = 'rollback') as is_rollback
from numbered
group by service_id, coalesce(sha, deployment_id), occurrence
