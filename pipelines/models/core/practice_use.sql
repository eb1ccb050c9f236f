-- One row per scan, approach, file that shows it and team that owns the file: the team of the
-- service whose paths hold it, or every team with a service in the repository where none does.
-- Ownership is today's, also for earlier scans.
-- key: scan_id, category, approach, path, team_id
-- references: scan_id -> standing_scan.scan_id; team_id -> team.team_id
with found as (
    select s.scan_id, s.repository_key, p.category, p.approach, p.path, min(p.at_line) as at_line
    from records.practice as p
    join standing_scan as s on s.scan_id = p.scan_id
    group by s.scan_id, s.repository_key, p.category, p.approach, p.path
),
ruled as (
    select service_id, repository_key, team_id, unnest(paths) as prefix
    from service where len(paths) > 0
),
held as (
    select distinct f.scan_id, f.path, r.team_id
    from found as f
    join ruled as r on r.repository_key = f.repository_key and starts_with(f.path, r.prefix)
),
owned as (
    select f.*, h.team_id
    from found as f
    join held as h on h.scan_id = f.scan_id and h.path = f.path
    union
    select f.*, s.team_id
    from found as f
    join service as s on s.repository_key = f.repository_key
    where not exists (select 1 from held as h where h.scan_id = f.scan_id and h.path = f.path)
)
select scan_id, repository_key, category, approach, path, at_line, team_id
from owned
where team_id is not null
