-- One row per attempt to deploy. Production has one origin per repository; other environments of
-- the deployments API or a file are kept beside it. Times are those of the attempt; live_at is its first success, never the moment a later deployment retired it.
-- key: attempt_id
-- not null: repository_key, environment, started_at
with attempted as (
    select d.attempt_id, m.repository_key, d.service_hint,
        coalesce(d.environment, '') as environment,
        d.sha, null::varchar as manifest_sha, d.ref, d.release, d.created_at as started_at, d.url, m.origin
    from attempt_repository as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
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
ran as (
    select r.run_id as attempt_id, a.repository_key, null as service_hint, o.environment,
        r.sha, r.branch as ref, null as release,
        coalesce(r.started_at, r.queued_at, r.finished_at) as started_at, r.url, o.origin,
        case when r.status = 'succeeded' then r.finished_at end as live_at,
        case when r.status = 'failed' then r.finished_at end as failed_at,
        case when r.status = 'cancelled' then r.finished_at end as cancelled_at,
        r.finished_at as ended_at
    from records.pipeline_run as r
    join repository_alias as a on a.alias = r.repository_key
    join deployment_origin as o on o.repository_key = a.repository_key and o.origin = 'ci'
    where r.deleted_at is null and regexp_matches(r.name, coalesce(o.pattern, '(?i)deploy'))
        and coalesce(r.started_at, r.queued_at, r.finished_at) is not null
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
    cross join input.parameter as p
    left join records.commit as c on c.repository_key = f.repository_key and c.sha = f.sha
    where f.kind = 'tag' and regexp_matches(f.name, coalesce(o.pattern, p.tag_pattern))
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
    select *, started_at as live_at, null::timestamptz as failed_at,
        null::timestamptz as cancelled_at, started_at as ended_at
    from (
        select * from released union all by name
        select * from tagged union all by name
        select * from merged
    )
)
select d.*, s.live_at,
    case when s.failed_at > s.last_success_at or s.last_success_at is null then s.failed_at end
        as failed_at,
    s.cancelled_at, s.ended_at
from attempted as d left join status as s on s.attempt_id = d.attempt_id
union all by name
select * from ran
union all by name
select * from instant
