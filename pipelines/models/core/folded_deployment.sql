-- One row per deployment: the attempts of one (service, environment, commit) with no other commit
-- attempted between them and no gap over 60 minutes. Before it is known what it ships. Without a
-- commit the release tells them apart; of one commit, its manifests. An attempt without a success
-- that an incident names was live from its end. What is told twice is taken from its sync; a
-- second name of a release is none.
-- kept: while building
-- key: deployment_id
-- not null: service_id, environment, started_at, outcome
with counted as not materialized (
    select a.*
    from service_attempt as a
    anti join retold_attempt as r on r.service_id = a.service_id and r.attempt_id = a.attempt_id
    anti join second_name as n on n.service_id = a.service_id and n.attempt_id = a.attempt_id
),
compared as (
    -- Few columns go through the windows, and only runs of one commit through those that follow.
    select service_id, environment, attempt_id, started_at,
        coalesce(ended_at, started_at) as ended_at,
        row_number() over each_place as place,
        coalesce(identity = lag(identity) over each_place, false) as is_same,
        coalesce(identity = lead(identity) over each_place, false) as is_followed
    from (
        select *,
            coalesce(sha, 'release ' || release) || coalesce(' ' || manifest_sha, '') as identity
        from counted
    ) as a
    window each_place as (partition by service_id, environment order by started_at, attempt_id)
),
run as (
    select *,
        max(case when not is_same then place end) over (
            partition by service_id, environment order by place rows unbounded preceding) as first
    from compared
    where is_same or is_followed
),
spaced as (
    select *,
        max(ended_at) over (
            partition by service_id, environment, first order by place
            rows between unbounded preceding and 1 preceding) as previous_end
    from run
),
grouped as (
    select service_id, attempt_id,
        max(case when started_at <= previous_end + interval 60 minute then null else place end) over (
            partition by service_id, environment order by place rows unbounded preceding) as fold
    from spaced
),
attempted as (
    select a.*, coalesce(g.fold, c.place) as fold, n.attempt_id is not null as is_named,
        coalesce(n.is_itself, false) as is_itself
    from counted as a
    join compared as c on c.service_id = a.service_id and c.attempt_id = a.attempt_id
    left join grouped as g on g.service_id = a.service_id and g.attempt_id = a.attempt_id
    left join named_attempt as n on n.attempt_id = a.attempt_id
),
folded as (
    select
        service_id, environment, fold,
        arg_min(attempt_id, (started_at, attempt_id)) as attempt_id,
        min(repository_key) as repository_key,
        min(origin) as origin,
        min(connection) as connection,
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
    from attempted
    group by service_id, environment, fold
),
named as (
    select * from folded where is_named and live_at is null and ended_at is not null
),
judged as (
    -- Named by its commit or release only, it was live if nothing else brought that.
    select f.*, n.attempt_id is not null as was_live
    from folded as f
    left join (
        select n.service_id, n.attempt_id
        from named as n
        where n.is_itself or not exists (
            select 1 from folded as l
            where l.service_id = n.service_id and l.environment = n.environment
                and l.live_at is not null
                and coalesce(l.sha, l.release) = coalesce(n.sha, n.release))
    ) as n on n.service_id = f.service_id and n.attempt_id = f.attempt_id
)
select
    service_id || '|' || attempt_id as deployment_id,
    service_id, environment, repository_key, origin, connection, sha, manifest_sha, ref, release, url, attempts,
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
