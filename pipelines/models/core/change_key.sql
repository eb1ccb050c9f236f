-- One row per change and commit whose arrival ships it: the merge or squash commit, or the head
-- commit where it is in the graph.
-- key: change_id, sha
-- references: change_id -> change.change_id
select distinct c.change_id, c.repository_key, k.sha
from change as c
cross join lateral (select unnest([c.merge_sha, c.head_sha]) as sha) as k
join repository_alias as a on a.repository_key = c.repository_key
join records.commit as g on g.repository_key = a.alias and g.sha = k.sha
where c.kind not in ('stacked', 'promotion')
