-- One row per attempt and service it deploys. In a repository of several services the hint of the
-- attempt (a service's name, or a tag's prefix) or the environment's name tells which; without
-- either, all of them.
-- key: service_id, attempt_id
-- references: service_id -> service.service_id
with counted as (
    select *, count(*) over (partition by repository_key) as services from service
),
several as (
    select s.service_id, a.*,
        lower(a.service_hint) = lower(s.name)
            or starts_with(lower(a.service_hint), lower(s.name) || '-')
            or starts_with(lower(a.service_hint), lower(s.name) || '@')
            or starts_with(lower(a.service_hint), lower(s.name) || '/')
            or regexp_matches(
                lower(a.environment), '(^|[^a-z0-9])' || regexp_escape(lower(s.name)) || '($|[^a-z0-9])')
            as is_named
    from attempt as a
    join counted as s on s.repository_key = a.repository_key and s.services > 1
    where not a.is_absurd
)
select s.service_id, a.*
from attempt as a
join counted as s on s.repository_key = a.repository_key and s.services = 1
where not a.is_absurd
union all
select * exclude (is_named)
from several
qualify is_named or not bool_or(coalesce(is_named, false)) over (partition by attempt_id)
