-- One row per merged change request that promotes a long-lived branch: it carries changes and is
-- none itself. From a branch of the base's own name comes what a fork did, and that is a change.
-- key: change_request_id
select c.change_request_id
from merged_request as c
join long_lived_branch as b on b.repository_key = c.repository_key and b.branch = c.head_branch
where c.base_branch is null or c.base_branch <> c.head_branch
