-- One row per scan of a repository's files by the newest rules, with the span it stands for: from
-- the time of its commit until the commit of the next scan. until_at is null for the one of today.
-- Scans by earlier rules, which could have found something else, are left out.
-- key: scan_id
-- references: repository_key -> repository.repository_key
with scan as (
    select s.scan_id, a.repository_key, s.sha, s.committed_at, s.rules, s.files, s.files_left,
        s.requested_at
    from records.practice_scan as s
    join repository_alias as a on a.alias = s.repository_key
    where s.deleted_at is null
),
newest as (
    select repository_key, rules
    from scan
    qualify row_number() over (
        partition by repository_key order by requested_at desc, committed_at desc, scan_id desc
    ) = 1
)
select s.scan_id, s.repository_key, s.sha, s.committed_at as from_at,
    lead(s.committed_at) over (
        partition by s.repository_key order by s.committed_at, s.requested_at, s.scan_id
    ) as until_at,
    s.files, s.files_left, s.requested_at as scanned_at
from scan as s
join newest as n on n.repository_key = s.repository_key and n.rules = s.rules
