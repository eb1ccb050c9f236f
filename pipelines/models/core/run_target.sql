-- One row per run that a rule takes for deploying, with the repository it deploys: the one that was
-- checked out, or that of the service its parameter or its name tells. A run of a service that
-- nobody knows stays here with none, and data health counts it.
-- kept: while building
-- key: run_id
-- references: repository_key -> repository.repository_key
with ruled as (
    select *,
        coalesce(pattern, case when job_pattern is null then '(?i)deploy' else '' end) as run_pattern,
        service_parameter is not null or service_pattern is not null as is_telling
    from deployment_origin
    where origin = 'ci'
),
run as (
    select run_id, repository_key, coalesce(name, '') as name, parameters
    from records.pipeline_run where deleted_at is null and status <> 'skipped'
),
own_name as (
    select n.repository_key as alias, n.name, o.repository_key
    from (select distinct repository_key, name from run) as n
    join repository_alias as a on a.alias = n.repository_key
    join ruled as o on o.repository_key = a.repository_key and not o.is_telling
    where regexp_matches(n.name, o.run_pattern)
),
rule as (
    select distinct run_pattern, service_parameter, service_pattern from ruled where is_telling
),
telling_name as (
    select n.name, r.run_pattern, r.service_parameter, r.service_pattern,
        nullif(regexp_extract(n.name, r.service_pattern, 1), '') as told
    from (select distinct name from run) as n
    join rule as r on regexp_matches(n.name, r.run_pattern)
),
told as (
    select r.run_id, n.run_pattern, n.service_parameter, n.service_pattern,
        lower(coalesce(parameter_of(r.parameters, n.service_parameter), n.told)) as named
    from run as r
    join telling_name as n on n.name = r.name
),
found as (
    select t.run_id, s.repository_key, s.name as service_hint, t.named
    from told as t
    left join service_name as n on n.name = t.named
    left join service as s on s.service_id = n.service_id
    left join ruled as o on o.repository_key = s.repository_key
    where t.named is not null and (
        -- Another rule may say where this service's deployments come from.
        s.repository_key is null or (
            o.run_pattern = t.run_pattern
            and o.service_parameter is not distinct from t.service_parameter
            and o.service_pattern is not distinct from t.service_pattern))
)
select run_id, repository_key, service_hint, named
from (
    select run_id, repository_key, service_hint, named, 0 as distance from found
    union all
    select r.run_id, n.repository_key, null, null, 1
    from run as r
    join own_name as n on n.alias = r.repository_key and n.name = r.name
)
qualify row_number() over (
    partition by run_id order by repository_key is null, distance, repository_key) = 1
