-- One row per repository, whatever connections see it.
-- key: repository_key
-- not null: name
select
    repository_key,
    arg_max(name, version_at) as name,
    arg_max(url, version_at) as url,
    arg_max(default_branch, version_at) as default_branch,
    min(created_at) as created_at,
    max(archived_at) as archived_at,
    bool_or(is_archived) as is_archived,
    bool_or(is_fork) as is_fork,
    bool_or(is_template) as is_template,
    bool_or(is_mirror) as is_mirror,
    min(connection) as connection
from records.repository
where deleted_at is null
group by repository_key
