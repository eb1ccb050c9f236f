-- One row per key a repository was ever known by: its own and those of before a rename.
-- key: alias
-- references: repository_key -> repository.repository_key
with known as (
    select repository_key as alias, repository_key, 0 as distance, version_at
    from records.repository where deleted_at is null
    union all
    select unnest(former_keys) as alias, repository_key, 1 as distance, version_at
    from records.repository where deleted_at is null
)
select alias, repository_key
from known
qualify row_number() over (partition by alias order by distance, version_at desc, repository_key) = 1
