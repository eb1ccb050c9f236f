-- One row per attempt of the deployments API or a file, with the repository it belongs to: by its
-- address, by a name that only one repository has, or by the service it names. Attempts of no
-- known repository stay here with none, and data health counts them.
-- key: attempt_id
-- references: repository_key -> repository.repository_key
with named as (
    select regexp_extract(alias, '[^/]+$') as name, min(repository_key) as repository_key
    from repository_alias group by 1 having count(distinct repository_key) = 1
),
owned as (
    select regexp_extract(alias, '[^/]+/[^/]+$') as name, min(repository_key) as repository_key
    from repository_alias group by 1 having count(distinct repository_key) = 1
),
serving as (
    select lower(name) as name, min(repository_key) as repository_key
    from service group by 1 having count(distinct repository_key) = 1
)
select d.attempt_id,
    case when c.kind = 'files' then 'file' else 'deployments_api' end as origin,
    coalesce(a.repository_key, o.repository_key, n.repository_key, s.repository_key)
        as repository_key
from records.deployment_attempt as d
left join input.connection as c on c.connection = d.connection
left join repository_alias as a on a.alias = d.repository_key
left join owned as o on o.name = d.repository_key
left join named as n on n.name = d.repository_key
left join serving as s on d.repository_key is null and s.name = lower(d.service_hint)
where d.deleted_at is null
