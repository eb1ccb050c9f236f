-- One row per name that incidents and tickets may use for a service, in lower case: the mapping of
-- the settings first, then services' names, references into the catalog, and names of repositories that hold one service. A name of several services stands for none.
-- key: name
-- references: service_id -> service.service_id
with single as (
    select repository_key, min(service_id) as service_id
    from service group by repository_key having count(*) = 1
),
known as (
    select i.hint as name, s.service_id, 0 as distance
    from input.incident_service as i
    join service as s on i.service in (lower(s.name), s.service_id)
    union all
    select lower(name), service_id, 1 from service
    union all
    select unnest([
            lower(e.entity_ref), regexp_replace(lower(e.entity_ref), '(^|:)default/', '\1'),
            regexp_replace(lower(e.entity_ref), '^[^:]*:', '')
        ]), s.service_id, 2
    from records.catalog_entity as e
    join service as s on lower(s.name) = lower(e.name)
    where e.deleted_at is null and lower(e.kind) in ('component', 'service')
    union all
    select unnest([
            lower(r.name), regexp_extract(r.repository_key, '[^/]+/[^/]+$'), r.repository_key
        ]), s.service_id, 3
    from single as s
    join repository as r on r.repository_key = s.repository_key
),
nearest as (
    select name, service_id
    from known
    qualify rank() over (partition by name order by distance) = 1
)
select name, min(service_id) as service_id
from nearest
where name <> ''
group by name
having count(distinct service_id) = 1
