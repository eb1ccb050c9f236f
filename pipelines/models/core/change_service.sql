-- One row per change and service it belongs to: the services of its repository, by path where
-- they have path rules and the touched paths are known.
-- key: change_id, service_id
-- references: change_id -> change.change_id; service_id -> service.service_id
with ruled as (
    select service_id, repository_key, unnest(paths) as prefix from service where len(paths) > 0
),
touched as (
    select change_id, repository_key, path
    from change_path where repository_key in (select repository_key from ruled)
),
matched as (
    select distinct t.change_id, r.service_id
    from touched as t
    join ruled as r on r.repository_key = t.repository_key and starts_with(t.path, r.prefix)
)
select c.change_id, s.service_id
from change as c
join service as s on s.repository_key = c.repository_key
left join matched as m on m.change_id = c.change_id and m.service_id = s.service_id
where c.kind not in ('stacked', 'promotion', 'backport')
    and (
        len(s.paths) = 0
        or m.service_id is not null
        or c.change_id not in (select change_id from touched)
    )
