-- One row per attempt to deploy. Production has one origin per repository; other environments of
-- the deployments API or a file are kept beside it. Of CI either each deploying run or, with a
-- pattern for them, each matching job. Times are those of the attempt; live_at is its first
-- success, never the moment a later deployment retired it. What lies before 2000 or more than a
-- day after as_of is absurd: kept here, and in no deployment.
-- key: attempt_id
-- not null: repository_key, environment, started_at
with attempted as (
    select d.attempt_id, m.repository_key, coalesce(d.service_hint, i.segment) as service_hint,
        coalesce(d.environment, '') as environment, c.sha,
        case when m.is_mapped and lower(trim(d.sha)) is distinct from c.sha
            then lower(trim(d.sha)) end as manifest_sha,
        d.ref, d.release, d.created_at as started_at, d.url, m.origin,
        d.connection
    from attempt_repository as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
    left join image_source as i on i.image = d.image
    left join attempt_commit as c on c.attempt_id = m.attempt_id
    left join deployment_origin as o on o.repository_key = m.repository_key
    where m.repository_key is not null
        and (o.origin = m.origin or not is_production(coalesce(d.environment, '')))
),
status as (
    select s.attempt_id,
        min(case when s.state = 'succeeded' then s.at end) as live_at,
        max(case when s.state = 'succeeded' then s.at end) as last_success_at,
        max(case when s.state = 'failed' then s.at end) as failed_at,
        max(case when s.state = 'cancelled' then s.at end) as cancelled_at,
        max(s.at) filter (where s.state <> 'inactive') as ended_at
    from records.deployment_status as s
    group by s.attempt_id
),
run as (
    select r.run_id, r.connection, t.repository_key, t.service_hint, o.origin,
        coalesce(
            parameter_of(r.parameters, o.environment_parameter),
            nullif(regexp_extract(r.name, o.environment_pattern, 1), ''),
            o.environment
        ) as environment,
        o.job_pattern, o.environment_pattern,
        case when o.version_parameter is not null then c.sha
            when a.repository_key = t.repository_key then lower(r.sha) end as sha,
        case when o.version_parameter is null then r.branch end as ref,
        parameter_of(r.parameters, o.version_parameter) as release, r.url, r.status,
        r.finished_at, coalesce(r.started_at, r.queued_at, r.finished_at) as started_at
    from run_target as t
    join records.pipeline_run as r on r.run_id = t.run_id
    join deployment_origin as o on o.repository_key = t.repository_key
    left join repository_alias as a on a.alias = r.repository_key
    left join attempt_commit as c on c.attempt_id = r.run_id
),
job as (
    select j.job_id, j.name, nullif(j.environment, '') as environment, j.status,
        coalesce(j.started_at, j.finished_at) as started_at, j.finished_at, r.run_id
    from records.pipeline_job as j
    join run as r on r.run_id = j.run_id
    where j.deleted_at is null and j.status <> 'skipped'
),
deploying as (
    -- Of a run whose jobs name environments those finish the deployment, not the tests after it.
    select j.run_id,
        min(case when j.status = 'succeeded' then j.finished_at end) as live_at,
        max(case when j.status = 'succeeded' then j.finished_at end) as last_success_at,
        max(case when j.status = 'failed' then j.finished_at end) as failed_at,
        max(case when j.status = 'cancelled' then j.finished_at end) as cancelled_at,
        max(j.finished_at) as ended_at
    from job as j
    join run as r on r.run_id = j.run_id
    where r.job_pattern is null and is_production(j.environment) = is_production(r.environment)
    group by j.run_id
),
ended as (
    select run_id, null as attempt_id, null as environment, started_at, status, finished_at
    from run where job_pattern is null
    union all
    select r.run_id, j.job_id,
        coalesce(j.environment, nullif(regexp_extract(j.name, r.environment_pattern, 1), '')),
        j.started_at, j.status, j.finished_at
    from job as j
    join run as r on r.run_id = j.run_id
    where regexp_matches(j.name, r.job_pattern)
),
ran as (
    select coalesce(e.attempt_id, r.run_id) as attempt_id, r.repository_key,
        r.service_hint, coalesce(e.environment, r.environment) as environment,
        r.sha, null as manifest_sha, r.ref, r.release, e.started_at, r.url,
        r.origin, r.connection,
        case when d.run_id is not null then d.live_at
            when e.status = 'succeeded' then e.finished_at end as live_at,
        case when d.run_id is not null then d.last_success_at
            when e.status = 'succeeded' then e.finished_at end as last_success_at,
        case when d.run_id is not null then d.failed_at
            when e.status = 'failed' then e.finished_at end as failed_at,
        case when d.run_id is not null then d.cancelled_at
            when e.status = 'cancelled' then e.finished_at end as cancelled_at,
        case when d.run_id is not null then d.ended_at else e.finished_at end as ended_at
    from ended as e
    join run as r on r.run_id = e.run_id
    left join deploying as d on d.run_id = e.run_id
    where e.started_at is not null
),
released as (
    select l.release_id as attempt_id, a.repository_key, l.tag as service_hint, o.environment,
        coalesce(l.sha, f.sha) as sha, l.tag as ref, l.tag as release,
        l.published_at as started_at, null as url, o.origin
    from records.release as l
    join repository_alias as a on a.alias = l.repository_key
    join deployment_origin as o on o.repository_key = a.repository_key and o.origin = 'release'
    left join records.reference as f
        on f.repository_key = l.repository_key and f.kind = 'tag' and f.name = l.tag
    where l.deleted_at is null and not l.is_prerelease and l.published_at is not null
        and regexp_matches(l.tag, coalesce(o.pattern, '.'))
),
tagged as (
    select 'tag:' || a.repository_key || ':' || f.name as attempt_id, a.repository_key,
        f.name as service_hint, o.environment, f.sha, f.name as ref, f.name as release,
        coalesce(f.tagged_at, c.committed_at) as started_at, null as url, o.origin
    from records.reference as f
    join repository_alias as a on a.alias = f.repository_key
    join deployment_origin as o on o.repository_key = a.repository_key and o.origin = 'tag'
    left join records.commit as c on c.repository_key = f.repository_key and c.sha = f.sha
    where f.kind = 'tag'
        and case when o.pattern is null then is_release_tag(f.name)
            else regexp_matches(f.name, o.pattern) end
        and coalesce(f.tagged_at, c.committed_at) is not null
),
merged as (
    select 'merge:' || r.change_request_id as attempt_id, a.repository_key, null as service_hint,
        o.environment, r.merge_sha as sha, r.base_branch as ref, null as release,
        r.merged_at as started_at, r.url, o.origin
    from records.change_request as r
    join repository_alias as a on a.alias = r.repository_key
    join deployment_origin as o on o.repository_key = a.repository_key and o.origin = 'merge'
    join repository as y on y.repository_key = a.repository_key
    where r.deleted_at is null and r.merged_at is not null and r.base_branch = y.default_branch
),
instant as (
    select *, null as manifest_sha, started_at as live_at, started_at as last_success_at,
        null::timestamptz as failed_at, null::timestamptz as cancelled_at,
        started_at as ended_at
    from (
        select * from released union all by name
        select * from tagged union all by name
        select * from merged
    )
),
every_attempt as (
    select d.*, s.live_at, s.last_success_at, s.failed_at, s.cancelled_at, s.ended_at
    from attempted as d left join status as s on s.attempt_id = d.attempt_id
    union all by name
    select * from ran
    union all by name
    select * from instant
)
select e.* exclude (environment),
    -- Without a name it would read as production as a whole.
    coalesce(nullif(trim(e.environment), ''), 'without a name') as environment,
    least(e.started_at, e.live_at) < '2000-01-01'
        or greatest(e.started_at, e.live_at) > k.as_of + interval 1 day as is_absurd
from every_attempt as e
cross join input.clock as k
