-- One row per repository: where its deployments come from, never two origins at once. A rule of
-- the settings decides; else the deployments API or a file, if they show production; else
-- published releases, else version-like tags.
-- key: repository_key
with ruled as (
    select r.repository_key, d.* exclude (ordinal, repository)
    from repository as r
    join input.deployment_rule as d on input_matches(d.repository, r.name, r.repository_key)
    qualify row_number() over (partition by r.repository_key order by d.ordinal) = 1
),
attempted as (
    select m.repository_key,
        case when bool_and(m.origin = 'file') then 'file' else 'deployments_api' end as origin
    from attempt_repository as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
    where m.repository_key is not null and is_production(d.environment)
    group by m.repository_key
),
released as (
    select distinct a.repository_key
    from records.release as l
    join repository_alias as a on a.alias = l.repository_key
    where l.deleted_at is null and not l.is_prerelease and l.published_at is not null
),
tagged as (
    select distinct a.repository_key
    from records.reference as f
    join repository_alias as a on a.alias = f.repository_key
    where f.kind = 'tag' and is_release_tag(f.name)
)
select
    r.repository_key,
    coalesce(
        u.origin, d.origin,
        case when l.repository_key is not null then 'release' end,
        case when t.repository_key is not null then 'tag' end
    ) as origin,
    u.pattern,
    u.job_pattern,
    coalesce(u.environment, 'production') as environment,
    u.environment_parameter,
    u.environment_pattern,
    u.service_parameter,
    u.service_pattern,
    u.version_parameter,
    u.origin is not null as is_ruled
from repository as r
left join ruled as u on u.repository_key = r.repository_key
left join attempted as d on d.repository_key = r.repository_key
left join released as l on l.repository_key = r.repository_key
left join tagged as t on t.repository_key = r.repository_key
where coalesce(u.origin, d.origin, l.repository_key, t.repository_key) is not null
