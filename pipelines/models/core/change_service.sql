-- One row per change and service it belongs to: the services of its repository, by path where
-- they have path rules and the touched paths are known.
-- key: change_id, service_id
-- references: change_id -> change.change_id; service_id -> service.service_id
with touched as (
    select c.change_id, p.path
    from change as c
    join repository_alias as a on a.repository_key = c.repository_key
    join records.commit_path as p on p.repository_key = a.alias and p.sha = c.merge_sha
    where p.deleted_at is null
)
select c.change_id, s.service_id
from change as c
join service as s on s.repository_key = c.repository_key
where c.kind not in ('stacked', 'promotion')
    and (
        len(s.paths) = 0
        or c.change_id not in (select change_id from touched)
        or exists (
            select 1 from touched as t
            where t.change_id = c.change_id
                and len(list_filter(s.paths, prefix -> starts_with(t.path, prefix))) > 0)
    )
