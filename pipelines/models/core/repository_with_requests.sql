-- One row per repository that has change requests: there they are the changes. In the others the
-- lines of the history tell what a change is.
-- kept: while building
-- key: repository_key
select distinct a.repository_key
from records.change_request as c join repository_alias as a on a.alias = c.repository_key
where c.deleted_at is null
