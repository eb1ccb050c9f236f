-- One row per change and path it touches, against the first parent of what landed: the merge,
-- squash or direct commit; of a rebase every commit that landed on the line. Only in repositories
-- whose paths something asks for: services with path rules, configuration, exclusions.
-- kept: while building
-- key: change_id, path
-- references: change_id -> known_change.change_id
with asked as (
    select distinct r.repository_key
    from repository as r
    left join service as s on s.repository_key = r.repository_key and len(s.paths) > 0
    cross join input.measure as m
    where s.service_id is not null or len(m.config_paths) > 0
        or exists (select 1 from input.exclusion as x where x.path is not null)
),
landed as (
    select change_id, repository_key, merge_sha as sha from known_change
    union
    select c.change_request_id, g.repository_key, g.sha
    from change_commit as c
    join mainline as m on m.commit_no = c.commit_no and m.mainline_no = c.commit_no
    join known_commit as g on g.commit_no = c.commit_no
)
select distinct l.change_id, l.repository_key, p.path
from landed as l
join asked as q on q.repository_key = l.repository_key
join repository_alias as a on a.repository_key = l.repository_key
join records.commit_path as p on p.repository_key = a.alias and p.sha = l.sha
where p.deleted_at is null
