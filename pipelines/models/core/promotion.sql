-- One row per merged change request that promotes a long-lived branch: it carries changes and is
-- none itself.
-- key: change_request_id
select c.change_request_id
from records.change_request as c
join repository_alias as a on a.alias = c.repository_key
join long_lived_branch as b on b.repository_key = a.repository_key and b.branch = c.head_branch
where c.deleted_at is null and c.merged_at is not null
