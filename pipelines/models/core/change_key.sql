-- One row per change and commit whose arrival ships it: the merge or squash commit, or the head
-- commit where it is in the graph; those of its back-ports ship it too.
-- key: change_id, sha
-- references: change_id -> change.change_id
with claimed as (
    select coalesce(b.original_id, c.change_id) as change_id, c.repository_key,
        unnest([c.merge_sha, c.head_sha]) as sha
    from change as c
    left join backport as b on b.change_id = c.change_id
    where c.kind not in ('stacked', 'promotion')
)
select distinct k.change_id, k.repository_key, k.sha
from claimed as k
join repository_alias as a on a.repository_key = k.repository_key
join records.commit as g on g.repository_key = a.alias and g.sha = k.sha
where k.change_id in (select change_id from change where kind not in ('stacked', 'promotion', 'backport'))
