-- One row per deployment: the attempts of one (service, environment, commit) with no other commit
-- attempted between them and no gap over 60 minutes. Before it is known what it ships. Without a
-- commit the release tells them apart; of one commit, its manifests. An attempt without a success
-- that an incident names was live from its end.
-- key: deployment_id
-- not null: service_id, environment, started_at, outcome
with identified as (
    select a.*, n.attempt_id is not null as is_named, coalesce(n.is_itself, false) as is_itself,
        coalesce(a.sha, 'release ' || a.release) || coalesce(' ' || a.manifest_sha, '') as identity
    from service_attempt as a
    left join named_attempt as n on n.attempt_id = a.attempt_id
),
compared as (
    select *,
        coalesce(identity = lag(identity) over (
            partition by service_id, environment order by started_at, attempt_id), false) as is_same
    from identified
),
placed as (
    select *,
        sum(case when is_same then 0 else 1 end) over (
            partition by service_id, environment order by started_at, attempt_id
            rows unbounded preceding) as island
    from compared
),
spaced as (
    select *,
        max(coalesce(ended_at, started_at)) over (
            partition by service_id, environment, island order by started_at, attempt_id
            rows between unbounded preceding and 1 preceding) as previous_end
    from placed
),
grouped as (
    select *,
        sum(case when started_at <= previous_end + interval 60 minute then 0 else 1 end) over (
            partition by service_id, environment order by started_at, attempt_id
            rows unbounded preceding) as fold
    from spaced
),
folded as (
    select
        service_id, environment, fold,
        arg_min(attempt_id, (started_at, attempt_id)) as attempt_id,
        min(repository_key) as repository_key,
        min(origin) as origin,
        min(sha) as sha,
        min(manifest_sha) as manifest_sha,
        arg_max(ref, (started_at, attempt_id)) as ref,
        arg_max(release, (started_at, attempt_id)) as release,
        arg_max(url, (started_at, attempt_id)) as url,
        count(*) as attempts,
        min(started_at) as started_at,
        min(live_at) as live_at,
        max(last_success_at) as last_success_at,
        max(failed_at) as failed_at,
        max(cancelled_at) as cancelled_at,
        max(ended_at) as ended_at,
        bool_or(is_named) as is_named,
        bool_or(is_itself) as is_itself
    from grouped
    group by service_id, environment, fold
),
judged as (
    select *,
        live_at is null and ended_at is not null and (is_itself or (is_named and not bool_or(
            live_at is not null) over (partition by service_id, environment, sha, release)))
            as was_live
    from folded
)
select
    service_id || '|' || attempt_id as deployment_id,
    service_id, environment, repository_key, origin, sha, manifest_sha, ref, release, url, attempts,
    started_at, case when was_live then ended_at else live_at end as live_at, ended_at,
    case
        when was_live then 'failed_after_live'
        when live_at is not null and failed_at > last_success_at then 'failed_after_live'
        when live_at is not null then 'succeeded'
        when failed_at is not null then 'failed_before_live'
        when cancelled_at is not null then 'cancelled'
        else 'running'
    end as outcome,
    is_production(environment) as is_production
from judged
