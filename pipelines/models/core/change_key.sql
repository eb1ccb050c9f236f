-- One row per change and commit whose arrival ships it: the merge or squash commit, or the head
-- commit where it is in the graph; those of its back-ports ship it too. By the time of the merge a
-- change's rows are found without reading all of them: ids of one source begin alike.
-- key: change_id, commit_no
-- references: change_id -> change.change_id
with claimed as (
    select coalesce(b.original_id, c.change_id) as change_id, unnest([c.merge_no, c.head_no]) as commit_no
    from change as c
    left join backport as b on b.change_id = c.change_id
    where c.kind not in ('stacked', 'promotion')
),
known as (
    select distinct d.change_id, c.merged_at, d.commit_no
    from claimed as d
    join change as c on c.change_id = d.change_id
    where d.commit_no is not null and c.kind not in ('stacked', 'promotion', 'backport')
)
select k.change_id, k.merged_at, k.commit_no, g.sha
from known as k
join known_commit as g on g.commit_no = k.commit_no
