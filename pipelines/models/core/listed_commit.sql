-- One row per merged change request and commit it lists, with the commit's number where it is in
-- the history as such. `twin` as in known_commit.
-- kept: while building
-- key: change_request_id, sha
with listed as (
    select l.change_request_id, r.repository_key, r.merged_at, l.sha,
        lower(l.author_email) as email, l.authored_at, l.committed_at, l.subject, l.is_merge,
        hash(r.repository_key, lower(l.author_email), date_trunc('second', l.authored_at),
            l.subject) as twin
    from merged_request as r
    join records.change_request_commit as l on l.change_request_id = r.change_request_id
)
select l.*, c.commit_no
from listed as l
left join known_commit as c on c.repository_key = l.repository_key and c.sha = l.sha
