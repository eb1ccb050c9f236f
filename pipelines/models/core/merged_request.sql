-- One row per merged change request; one that several connections see counts once. With
-- the numbers of its head and merge commit where these are in the history.
-- kept: while building
-- key: change_request_id
-- not null: repository_key, merged_at
with copied as (
    select a.repository_key, c.number, min(c.change_request_id) as kept_id
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    where c.deleted_at is null and c.merged_at is not null
    group by a.repository_key, c.number having count(*) > 1
)
select c.change_request_id, a.repository_key, r.default_branch, c.number, c.title, c.url, c.author,
    c.base_branch, c.head_branch, c.head_sha, c.merge_sha, h.commit_no as head_no,
    m.commit_no as merge_no, c.labels, c.ticket_keys, c.created_at, c.ready_at, c.merged_at
from records.change_request as c
join repository_alias as a on a.alias = c.repository_key
join repository as r on r.repository_key = a.repository_key
left join known_commit as h on h.repository_key = a.repository_key and h.sha = c.head_sha
left join known_commit as m on m.repository_key = a.repository_key and m.sha = c.merge_sha
left join copied as p on p.repository_key = a.repository_key and p.number = c.number
where c.deleted_at is null and c.merged_at is not null
    and (p.kept_id is null or p.kept_id = c.change_request_id)
