-- One row per commit of a repository, numbered by repository and id. `twin` is a digest of what a
-- rebase or a pick keeps: author e-mail as written, authored second and subject.
-- kept: while building
-- key: commit_no
with several as (
    select repository_key from repository_alias group by repository_key having count(*) > 1
),
received as (
    select a.alias, a.repository_key, c.sha, c.parents, c.is_shallow_boundary, c.author_email,
        -- The forge lists the address as written, git as the .mailmap says.
        lower(coalesce(c.written_email, c.author_email)) as written_email,
        c.authored_at, c.committed_at, c.subject, c.cherry_picked_from, c.reverts
    from records.commit as c
    join repository_alias as a on a.alias = c.repository_key
),
once as (
    select * from received
    where repository_key not in (select repository_key from several)
    union all
    -- What was read under an old name too is one commit.
    select * replace (bool_or(is_shallow_boundary) over copies as is_shallow_boundary)
    from received
    where repository_key in (select repository_key from several)
    window copies as (partition by repository_key, sha)
    qualify row_number() over (partition by repository_key, sha order by alias) = 1
)
select row_number() over (order by repository_key, sha) - 1 as commit_no,
    * exclude (alias), len(parents) > 1 as is_merge,
    hash(repository_key, written_email, date_trunc('second', authored_at), subject) as twin
from once
