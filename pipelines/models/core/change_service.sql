-- One row per change and service it belongs to: the services of its repository, by path where
-- they have path rules and the touched paths are known.
-- key: change_id, service_id
-- references: change_id -> change.change_id; service_id -> service.service_id
with ruled as (
    select service_id, repository_key, unnest(paths) as prefix from service where len(paths) > 0
),
landed as (
    -- The merge, squash or direct commit; of a rebase every commit that landed on the line.
    select change_id, repository_key, merge_sha as sha from change
    union
    select c.change_request_id, c.repository_key, c.sha
    from change_commit as c
    join mainline as m on m.repository_key = c.repository_key and m.mainline_sha = c.sha
        and m.sha = c.sha
),
touched as (
    select c.change_id, c.repository_key, p.path
    from landed as c
    join repository_alias as a on a.repository_key = c.repository_key
    join records.commit_path as p on p.repository_key = a.alias and p.sha = c.sha
    where p.deleted_at is null and c.repository_key in (select repository_key from ruled)
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
