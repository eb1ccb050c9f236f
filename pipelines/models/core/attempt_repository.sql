-- One row per attempt of the deployments API or a file, with the repository it belongs to: of its
-- image the source; else by its address, by a name that only one repository has, or by the service
-- it names. Attempts of no known repository stay here with none, and data health counts them.
-- What deploys descriptions of others alone is none, and of several images that came at once those
-- of no known source are not, beside one whose source is known.
-- kept: while building
-- key: attempt_id
-- references: repository_key -> repository.repository_key; stated_key -> repository.repository_key
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
),
stated as (
    select d.attempt_id, d.service_hint, d.image,
        case when c.kind = 'files' then 'file' else 'deployments_api' end as origin,
        coalesce(a.repository_key, o.repository_key, n.repository_key) as stated_key,
        d.repository_key is null as is_without_address, i.repository_key as source_key,
        -- Series are those of tools that deploy manifests, whose repository may not be connected.
        d.series is not null
            and coalesce(a.repository_key, o.repository_key, n.repository_key) is null as is_foreign
    from records.deployment_attempt as d
    left join input.connection as c on c.connection = d.connection
    left join repository_alias as a on a.alias = d.repository_key
    left join owned as o on o.name = d.repository_key
    left join named as n on n.name = d.repository_key
    left join image_source as i on i.image = d.image
    where d.deleted_at is null and d.content is distinct from 'applications'
    qualify i.repository_key is not null or d.number is null
        or row_number() over (
            partition by d.connection, d.series, d.number
            order by i.repository_key is null, d.attempt_id) = 1
),
manifests as (
    -- What deploys images built elsewhere holds no source itself.
    select distinct stated_key from stated where source_key <> stated_key
)
select t.attempt_id, t.origin,
    coalesce(
        t.source_key,
        case when t.image is not null or m.stated_key is not null or t.is_without_address
            or t.is_foreign
            then s.repository_key end,
        t.stated_key
    ) as repository_key,
    t.stated_key,
    -- The commit the attempt names is one of manifests, not of the source.
    t.source_key is not null
        or ((m.stated_key is not null or t.is_foreign) and s.repository_key is not null) as is_mapped
from stated as t
left join manifests as m on m.stated_key = t.stated_key
left join serving as s on s.name = lower(t.service_hint)
