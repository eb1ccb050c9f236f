-- One row per deployment: the attempts of one (service, environment, commit) with no other commit
-- attempted between them and no gap over 60 minutes. Before it is known what it ships.
-- key: deployment_id
-- not null: service_id, environment, started_at, outcome
with ordered as (
    select *,
        lag(sha) over each_place as previous_sha,
        lag(coalesce(ended_at, started_at)) over each_place as previous_end
    from service_attempt
    window each_place as (partition by service_id, environment order by started_at, attempt_id)
),
grouped as (
    select *,
        sum(case
            when sha is not null and sha = previous_sha
                and started_at <= previous_end + interval 60 minute then 0
            else 1 end) over (
                partition by service_id, environment order by started_at, attempt_id
                rows unbounded preceding) as fold
    from ordered
),
folded as (
    select
        service_id, environment, fold,
        arg_min(attempt_id, (started_at, attempt_id)) as attempt_id,
        any_value(repository_key) as repository_key,
        any_value(origin) as origin,
        any_value(sha) as sha,
        any_value(manifest_sha) as manifest_sha,
        arg_max(ref, started_at) as ref,
        arg_max(release, started_at) as release,
        arg_max(url, started_at) as url,
        count(*) as attempts,
        min(started_at) as started_at,
        min(live_at) as live_at,
        max(live_at) as last_live_at,
        max(failed_at) as failed_at,
        max(cancelled_at) as cancelled_at,
        max(ended_at) as ended_at
    from grouped
    group by service_id, environment, fold
)
select
    service_id || '|' || attempt_id as deployment_id,
    service_id, environment, repository_key, origin, sha, manifest_sha, ref, release, url, attempts,
    started_at, live_at, ended_at,
    case
        when live_at is not null and failed_at > last_live_at then 'failed_after_live'
        when live_at is not null then 'succeeded'
        when failed_at is not null then 'failed_before_live'
        when cancelled_at is not null then 'cancelled'
        else 'running'
    end as outcome,
    is_production(environment) as is_production
from folded
